package docker

import (
	"context"
	"errors"
	"fmt"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// refUndo are the arguments of the undo of what changes to which image references lead. The first is the one that the
// change is about.
type refUndo struct {
	Refs []refBefore `json:"refs"`
}

// refBefore is to which image a reference led.
type refBefore struct {
	Ref    string       `json:"ref"`
	Before *engine.Kept `json:"before,omitempty"` // nil: to none
}

// refLeft is what a change has left of a reference.
type refLeft struct {
	ID string `json:"id"` // "" for no image
}

// keepRef keeps the image to which a reference leads, nil if there is none.
func keepRef(ctx context.Context, k *runtime.Keeper, ref string) (*engine.Kept, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	img, err := e.Image(ctx, ref)
	if err != nil || img == nil {
		return nil, err
	}
	kept, err := e.KeepImage(ctx, k, img.ID, "")
	return &kept, err
}

// undoOfRef is the undo record of a change that is about to change a reference.
func undoOfRef(ref string, before *engine.Kept) *runtime.Undo {
	note := "takes the tag away"
	if before != nil {
		note = "has the tag lead to image " + short(before.ID) + " again"
	}
	return &runtime.Undo{Kind: refKind, Args: refUndo{[]refBefore{{ref, before}}}, Note: note}
}

// undoRefs has references lead to the images to which they led.
func undoRefs(ctx context.Context, w *runtime.Writer, args refUndo) error {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	var errs []error
	for _, ref := range args.Refs {
		errs = append(errs, undoRef(ctx, x, ref))
	}
	return errors.Join(errs...)
}

func undoRef(ctx context.Context, x *engine.Writer, args refBefore) error {
	now, err := x.Image(ctx, args.Ref)
	if err != nil {
		return err
	}
	if args.Before == nil {
		if now == nil {
			return nil
		}
		return takeTag(ctx, x, args.Ref, now.ID)
	}
	if now == nil || now.ID != args.Before.ID {
		if err := x.Restore(ctx, *args.Before); err != nil {
			return err
		}
		if err := x.Tag(ctx, args.Before.ID, args.Ref); err != nil {
			return err
		}
	}
	if now != nil && now.ID != args.Before.ID {
		if err := dropNameless(ctx, x, now.ID); err != nil {
			return err
		}
	}
	return x.Release(ctx, *args.Before)
}

// takeTag takes a reference away again, and the image unless something else needs it.
func takeTag(ctx context.Context, x *engine.Writer, ref, id string) error {
	img, err := x.Image(ctx, id)
	if err != nil || img == nil {
		return err
	}
	users, err := x.Users(ctx, id)
	if err != nil {
		return err
	}
	if len(users) > 0 && len(img.RepoTags) < 2 {
		x.Run.Warn("%s stays: container %s uses the image meanwhile", ref, engine.NameOf(users[0]))
		return nil
	}
	return x.RemoveImage(ctx, ref, false)
}

// dropNameless removes an image that a change has brought and that nothing refers to any more.
func dropNameless(ctx context.Context, x *engine.Writer, id string) error {
	img, err := x.Image(ctx, id)
	if err != nil || img == nil || len(img.RepoTags) > 0 {
		return err
	}
	users, err := x.Users(ctx, id)
	if err != nil || len(users) > 0 {
		return err
	}
	return x.RemoveImage(ctx, id, false)
}

// refDrift says how a reference differs from what a change has left.
func refDrift(ctx context.Context, _ *runtime.Reader, args refUndo, after refLeft) (string, error) {
	if len(args.Refs) == 0 {
		return "", nil
	}
	e, err := engine.Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	img, err := e.Image(ctx, args.Refs[0].Ref)
	switch {
	case err != nil:
		return "", err
	case img == nil && after.ID != "":
		return "the image is gone", nil
	case img != nil && img.ID != after.ID:
		return fmt.Sprintf("leads to another image, %s", short(img.ID)), nil
	}
	return "", nil
}
