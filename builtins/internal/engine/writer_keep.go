package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/client"
)

// Hold tags kept images, so that they are not removed as such that nobody refers to. An image that is gone is no error:
// its content may be kept.
func (x *Writer) Hold(ctx context.Context, images ...Kept) error {
	for _, kept := range images {
		if img, err := x.Image(ctx, kept.ID); err != nil {
			return err
		} else if img == nil {
			continue
		}
		if err := x.Tag(ctx, kept.ID, keepTag(x.Run.Sign(), kept.ID)); err != nil {
			return err
		}
	}
	return nil
}

// Restore makes sure that a kept image is there, from what was saved if somebody has removed it.
func (x *Writer) Restore(ctx context.Context, kept Kept) error {
	img, err := x.Image(ctx, kept.ID)
	if err != nil || img != nil {
		return err
	}
	if kept.Saved == nil {
		return fmt.Errorf("image %s is gone, and was not saved: another container ran it then, or it was gone already", kept.ID)
	}
	content, err := x.Run.Open(*kept.Saved)
	if err != nil {
		return fmt.Errorf("load image %s: %w", kept.ID, err)
	}
	defer content.Close()
	answer, err := x.API.ImageLoad(ctx, content, client.ImageLoadWithQuiet(true))
	if err == nil {
		err = Follow(ctx, answer.Body, nil)
	}
	if err != nil {
		return fmt.Errorf("load image %s: %w", kept.ID, Explain(ctx, err))
	}
	if img, err = x.Image(ctx, kept.ID); err == nil && img == nil {
		err = fmt.Errorf("image %s was loaded from what was saved, but has another id now", kept.ID)
	}
	return err
}

// Release takes away the tag by which this run holds an image, if the image stays without it.
func (x *Writer) Release(ctx context.Context, kept Kept) error {
	return x.Untag(ctx, keepTag(x.Run.Sign(), kept.ID))
}
