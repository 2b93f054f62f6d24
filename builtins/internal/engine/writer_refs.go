package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
		errs = append(errs, x.undoRef(ctx, r, args.Nameless))
	}
	return errors.Join(errs...)
}

// undoRef has one name lead to where it led. Nameless are the images that had no name then.
func (x *Writer) undoRef(ctx context.Context, was RefBefore, nameless []string) error {
	now, err := x.Image(ctx, was.Ref)
	if err != nil {
		return err
	}
	if was.Before == nil {
		if now == nil {
			return nil
		}
		if slices.Contains(nameless, now.ID) && len(now.RepoTags) < 2 {
			return x.unname(ctx, was.Ref, now.ID)
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
	if now != nil && now.ID != was.Before.ID && !slices.Contains(nameless, now.ID) {
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

// unname takes its last name from an image that stays. The engine would remove the image with it, so the name is first
// given to another one, which has names of its own.
func (x *Writer) unname(ctx context.Context, ref, id string) error {
	list, err := x.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return fmt.Errorf("list images: %w", Explain(ctx, err))
	}
	i := slices.IndexFunc(list, func(other image.Summary) bool { return other.ID != id && named(other) })
	if i < 0 {
		x.Run.Warn("image %s keeps the name %s, which it did not have: it is the only one that has a name", id, ref)
		return nil
	}
	if err := x.Tag(ctx, list[i].ID, ref); err != nil {
		return err
	}
	return x.RemoveImage(ctx, ref, false)
}

// named reports whether a name leads to a listed image. Older engines say so of one to which none does.
func named(img image.Summary) bool {
	return slices.ContainsFunc(img.RepoTags, func(tag string) bool { return tag != "<none>:<none>" })
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
