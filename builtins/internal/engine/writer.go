package engine

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/image"
)

// Tag gives an image, named by a reference or its id, another reference. Another image that has the reference loses it.
func (x *Writer) Tag(ctx context.Context, source, ref string) error {
	if err := x.API.ImageTag(ctx, source, ref); err != nil {
		return fmt.Errorf("tag %s as %s: %w", source, ref, Explain(ctx, err))
	}
	return nil
}

// Untag takes a reference from an image that is still needed: one that has no other reference and that no container
// runs would be gone, so it keeps the reference. That there is no such reference is no error.
func (x *Writer) Untag(ctx context.Context, ref string) error {
	img, err := x.Image(ctx, ref)
	if err != nil || img == nil {
		return err
	}
	force := false
	if len(img.RepoTags) < 2 {
		// By force a reference is taken from an image that a container uses. If the container does not run, it takes
		// the image along.
		users, err := x.Users(ctx, img.ID)
		if err != nil {
			return err
		}
		if !anyRuns(users) {
			return nil
		}
		force = true
	}
	return x.RemoveImage(ctx, ref, force)
}

// RemoveImage takes a reference from an image, and removes the image if that was its last. That there is no such
// reference is no error.
func (x *Writer) RemoveImage(ctx context.Context, ref string, force bool) error {
	_, err := x.API.ImageRemove(ctx, ref, image.RemoveOptions{Force: force, PruneChildren: true})
	if err != nil && !absent(err) {
		return fmt.Errorf("remove image %s: %w", ref, Explain(ctx, err))
	}
	return nil
}
