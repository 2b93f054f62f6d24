package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// imagesKind is the undo of what changes to which images names lead.
const imagesKind = "compose.images"

// imagesArgs are the arguments of the undo.
type imagesArgs struct {
	Refs []refBefore `json:"refs"`
}

// refBefore is to which image a name led.
type refBefore struct {
	Ref    string       `json:"ref"`
	Before *engine.Kept `json:"before,omitempty"` // nil: to none
}

// imagesLeft is to which image each name leads after the change.
type imagesLeft map[string]string

// keepRefs keeps the images to which names lead.
func keepRefs(ctx context.Context, k *runtime.Keeper, refs []string) (*imagesArgs, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	args := &imagesArgs{}
	for _, ref := range refs {
		before := refBefore{Ref: ref}
		img, err := e.Image(ctx, ref)
		if err != nil {
			return nil, err
		}
		if img != nil {
			kept, err := e.KeepImage(ctx, k, img.ID)
			if err != nil {
				return nil, err
			}
			before.Before = &kept
		}
		args.Refs = append(args.Refs, before)
	}
	return args, nil
}

// hold keeps the images from being removed as nameless.
func (a *imagesArgs) hold(ctx context.Context, x *engine.Writer) error {
	for _, r := range a.Refs {
		if r.Before != nil {
			if err := x.Hold(ctx, *r.Before); err != nil {
				return err
			}
		}
	}
	return nil
}

// now says to which images the names lead.
func (a *imagesArgs) now(ctx context.Context, e *engine.Client) (imagesLeft, error) {
	ids := imagesLeft{}
	for _, r := range a.Refs {
		img, err := e.Image(ctx, r.Ref)
		if err != nil {
			return nil, err
		}
		ids[r.Ref] = ""
		if img != nil {
			ids[r.Ref] = img.ID
		}
	}
	return ids, nil
}

// unchanged marks a failure that left all names as they were as one that changed nothing.
func (a *imagesArgs) unchanged(ctx context.Context, x *engine.Writer, failure error) error {
	now, err := a.now(context.WithoutCancel(ctx), x.Client)
	if err != nil {
		return failure
	}
	for _, r := range a.Refs {
		if r.Before == nil && now[r.Ref] != "" || r.Before != nil && now[r.Ref] != r.Before.ID {
			return failure
		}
	}
	for _, r := range a.Refs {
		if r.Before != nil && x.Release(context.WithoutCancel(ctx), *r.Before) != nil {
			return failure // the undo tries again
		}
	}
	return runtime.NotApplied(failure)
}

// imagesUndo has names lead to the images to which they led.
func imagesUndo(ctx context.Context, w *runtime.Writer, args imagesArgs) error {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	var errs []error
	for _, r := range args.Refs {
		errs = append(errs, undoRef(ctx, x, r))
	}
	return errors.Join(errs...)
}

func undoRef(ctx context.Context, x *engine.Writer, was refBefore) error {
	now, err := x.Image(ctx, was.Ref)
	if err != nil {
		return err
	}
	if was.Before == nil {
		if now == nil {
			return nil
		}
		return dropImage(ctx, x, was.Ref, now.ID)
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
		img, err := x.Image(ctx, now.ID)
		if err != nil {
			return err
		}
		if img != nil && len(img.RepoTags) == 0 {
			if err := dropImage(ctx, x, now.ID, now.ID); err != nil {
				return err
			}
		}
	}
	return x.Release(ctx, *was.Before)
}

// dropImage takes a name from an image, or removes one that has none, unless a container needs it.
func dropImage(ctx context.Context, x *engine.Writer, ref, id string) error {
	users, err := x.Users(ctx, id)
	if err != nil {
		return err
	}
	if len(users) > 0 {
		x.Run.Warn("image %s stays: container %s uses it", ref, engine.NameOf(users[0]))
		return nil
	}
	return x.RemoveImage(ctx, ref, false)
}

// imagesDrift says how names differ from what a change has left.
func imagesDrift(ctx context.Context, _ *runtime.Reader, args imagesArgs, after imagesLeft) (string, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	now, err := args.now(ctx, e)
	if err != nil {
		return "", err
	}
	var lost []string
	for _, ref := range slices.Sorted(maps.Keys(now)) {
		if now[ref] != after[ref] {
			lost = append(lost, fmt.Sprintf("image %s is another one, or gone", ref))
		}
	}
	return strings.Join(lost, ", "), nil
}

// imagesValue is what a call that brings images evaluates to.
func imagesValue(changed bool, refs []string) starlark.Value {
	list := make([]starlark.Value, len(refs))
	for i, ref := range refs {
		list[i] = starlark.String(ref)
	}
	return structOf(starlark.StringDict{"changed": starlark.Bool(changed), "images": starlark.NewList(list)})
}

// imagesDoc is the documentation of imagesValue.
const imagesDoc = "struct(changed, images = [ref])"

// predictImages predicts that names lead to other images, and what the call evaluates to.
func predictImages(w *runtime.World, by string, refs []string) (starlark.Value, error) {
	for _, ref := range refs {
		engine.PredictedImages(w).Bring(ref, by)
	}
	return imagesValue(true, refs), nil
}

// selectServices are the services that a call is about: those that are named, or all that have it.
func selectServices(p *project, named []string, has func(name string) bool, lacks string) ([]string, error) {
	if len(named) == 0 {
		all := slices.Sorted(maps.Keys(p.Services))
		return slices.DeleteFunc(all, func(s string) bool { return !has(s) }), nil
	}
	for _, s := range named {
		if _, ok := p.Services[s]; !ok {
			return nil, noService(p, s)
		}
		if !has(s) {
			return nil, fmt.Errorf("%s: service %s %s", p.At("services", s), s, lacks)
		}
	}
	return named, nil
}

// refsOf are the images of services.
func refsOf(p *project, services []string) []string {
	refs := make([]string, len(services))
	for i, s := range services {
		refs[i] = composefile.ShownRef(p.Services[s].Image)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
