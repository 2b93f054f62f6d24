package engine

import (
	"context"
	"errors"

	"github.com/docker/docker/api/types/image"

	"github.com/infrarun/infrarun/runtime"
)

// Pull brings an image from a registry, and shows how far it has come. Auth is who asks, encoded as the API takes it, ""
// for nobody in particular.
func (x *Writer) Pull(ctx context.Context, ref, auth string) error {
	answer, err := x.API.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: auth})
	if err == nil {
		err = Follow(ctx, answer, Layers(x.Run, "pull "+ref))
	}
	return Explain(ctx, err)
}

// Unchanged marks a failure that left all names leading where they led as one that changed nothing, and lets go of their
// images. Of others the undo does.
func (x *Writer) Unchanged(ctx context.Context, refs *Refs, failure error) error {
	ctx = context.WithoutCancel(ctx)
	now, err := x.Lead(ctx, refs)
	if err != nil {
		return failure
	}
	for _, r := range refs.Refs {
		if !r.Same(now) {
			return failure
		}
	}
	for _, kept := range refs.Images() {
		if x.Release(ctx, kept) != nil {
			return failure // the undo tries again
		}
	}
	return runtime.NotApplied(failure)
}

// undoRefs has names lead to the images to which they led.
func undoRefs(ctx context.Context, w *runtime.Writer, args Refs) error {
	x, err := Write(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	var errs []error
	for _, r := range args.Refs {
		errs = append(errs, x.undoRef(ctx, r))
	}
	return errors.Join(errs...)
}

func (x *Writer) undoRef(ctx context.Context, was RefBefore) error {
	now, err := x.Image(ctx, was.Ref)
	if err != nil {
		return err
	}
	if was.Before == nil {
		if now == nil {
			return nil
		}
		return x.takeTag(ctx, was.Ref, now.ID)
	}
	if now == nil || now.ID != was.Before.ID {
		if err := x.Restore(ctx, *was.Before); err != nil {
			return err
		}
		if err := x.Tag(ctx, was.Before.ID, was.Ref); err != nil {
			return err
		}
	}
	if now != nil && now.ID != was.Before.ID {
		if err := x.dropNameless(ctx, now.ID); err != nil {
			return err
		}
	}
	return x.Release(ctx, *was.Before)
}

// takeTag takes a name away again, and the image unless something else needs it.
func (x *Writer) takeTag(ctx context.Context, ref, id string) error {
	img, err := x.Image(ctx, id)
	if err != nil || img == nil {
		return err
	}
	if len(img.RepoTags) < 2 {
		if used, err := x.inUse(ctx, ref, id); used || err != nil {
			return err
		}
	}
	return x.RemoveImage(ctx, ref, false)
}

// dropNameless removes an image that a change has brought and that nothing refers to any more.
func (x *Writer) dropNameless(ctx context.Context, id string) error {
	img, err := x.Image(ctx, id)
	if err != nil || img == nil || len(img.RepoTags) > 0 {
		return err
	}
	if used, err := x.inUse(ctx, id, id); used || err != nil {
		return err
	}
	return x.RemoveImage(ctx, id, false)
}

// inUse reports whether a container uses an image, and tells the operator that the image stays then.
func (x *Writer) inUse(ctx context.Context, ref, id string) (bool, error) {
	users, err := x.Users(ctx, id)
	if err != nil || len(users) == 0 {
		return false, err
	}
	x.Run.Warn("image %s stays: container %s uses it", ref, NameOf(users[0]))
	return true, nil
}
