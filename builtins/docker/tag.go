package docker

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

var errNoImage = errors.New("there is no such image on this machine; docker.pull or docker.build brings one")

type tagArgs struct {
	Source string `arg:"source" doc:"the image, by its name or id"`
	Ref    string `arg:"ref" doc:"its further name, such as registry.example:5000/app:1.4"`
}

var tagBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.tag", Returns: "as docker.image", Undo: runtime.Exact, Permission: "`docker` on image:source and image:ref",
	Doc: "Gives an image a further name. An image that has that name loses it, and is kept so that undo can give it back. " +
		"Nothing is to do if the image has the name already.",
	Example: `docker.tag("app:1.4", "registry.example:5000/app:1.4")`,
}, func(c *runtime.Call, a tagArgs) (starlark.Value, error) {
	source, err := refOrID(a.Source)
	if err != nil {
		return nil, err
	}
	ref, err := imageref.Parse(a.Ref)
	if err == nil {
		err = ref.Tagged()
	}
	if err != nil {
		return nil, err
	}
	return c.Do(&tag{source: source, ref: ref.Name})
})

// tag is the change that gives an image a name.
type tag struct {
	source, ref string

	found  engine.SeenImage // what source leads to
	before *engine.Refs
}

// Describe implements [runtime.Change].
func (t *tag) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.tag", Target: t.ref, Undo: runtime.Exact, Needs: needs(needImage(t.source), needImage(t.ref)),
	}
}

// Probe implements [runtime.Change].
func (t *tag) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "image " + t.source}
		var err error
		if t.found, err = e.SeeImage(ctx, r, t.source); err != nil {
			return found, err
		}
		if !t.found.There() {
			return found, fmt.Errorf("%s: %w", t.source, errNoImage)
		}
		now, err := e.SeeImage(ctx, r, t.ref)
		if err != nil || t.found.Predicted || now.InspectResponse == nil {
			return found, err
		}
		if now.ID == t.found.ID {
			found.Needed, found.Summary, found.Value = false, "leads to it already", imageValue(t.ref, now.InspectResponse)
			return found, nil
		}
		found.Summary += fmt.Sprintf(", %s in place of %s", imageref.Short(t.found.ID), imageref.Short(now.ID))
		return found, nil
	})
}

// Undo implements [runtime.Change].
func (t *tag) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	t.before, err = engine.KeepRefs(ctx, k, t.ref)
	return undoOfRef(t.before), err
}

// Apply implements [runtime.Change].
func (t *tag) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return brings(ctx, w, t.before, func(x *engine.Writer) error { return x.Tag(ctx, t.found.ID, t.ref) })
}

// Predict implements [runtime.Change].
func (t *tag) Predict(w *runtime.World) (starlark.Value, error) {
	images := engine.PredictedImages(w)
	if t.found.Predicted {
		images.Tag(t.ref, "", t.found.By)
		return imageGuess(t.ref, t.found.By), nil
	}
	images.Tag(t.ref, t.found.ID, "docker.tag")
	return imageValue(t.ref, t.found.InspectResponse), nil
}

type removeImageArgs struct {
	Ref string `arg:"ref" doc:"its name; without a tag that of the tag latest"`
}

var removeImageBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.remove_image", Returns: changedDoc, Undo: runtime.Exact, Permission: imagePermission,
	Doc: "Takes a name from an image. The image itself is kept for undo, and goes when the run's record goes, by docker.prune. " +
		"An image that a container uses keeps its last name: that is an error.",
	Example: `docker.remove_image("app:1.2")`,
}, func(c *runtime.Call, a removeImageArgs) (starlark.Value, error) {
	ref, err := imageref.Parse(a.Ref)
	if err == nil {
		err = ref.Tagged()
	}
	if err != nil {
		return nil, err
	}
	return c.Do(&untag{ref: ref.Name})
})

const changedDoc = "struct(name, changed)"

func changed(name string, did bool) starlark.Value {
	return structOf(starlark.StringDict{"name": starlark.String(name), "changed": starlark.Bool(did)})
}

// untag is the change that takes a name from an image.
type untag struct {
	ref    string
	before *engine.Refs
}

// Describe implements [runtime.Change].
func (u *untag) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.remove_image", Target: u.ref, Undo: runtime.Exact, Needs: needs(needImage(u.ref)),
	}
}

// Probe implements [runtime.Change].
func (u *untag) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Value: changed(u.ref, false)}
		now, err := e.SeeImage(ctx, r, u.ref)
		switch {
		case err != nil:
			return found, err
		case !now.There():
			found.Needed, found.Summary = false, "there is no such image"
			return found, nil
		case now.Predicted:
			found.Summary = "the image that " + now.By + " brings"
			return found, nil
		}
		found.Summary = fmt.Sprintf("image %s, %s", imageref.Short(now.ID), size(now.Size))
		if u.others(r, now) {
			return found, nil
		}
		list, err := e.Containers(ctx, nil)
		if err != nil {
			return found, err
		}
		users := usersOf(r, list, func(c container.Summary) bool { return c.ImageID == now.ID },
			func(p predictedContainer) bool { return p.image == u.ref })
		return found, hinder(&found, users, anyUser, "it is the last name of an image that containers use: %s")
	})
}

// others reports whether the image has another name by then.
func (u *untag) others(r *runtime.Reader, now engine.SeenImage) bool {
	names := withoutKept(now.RepoTags)
	if r.Preview() {
		names = engine.PredictedImages(r.World()).Names(now.ID, names)
	}
	return slices.ContainsFunc(names, func(name string) bool { return name != u.ref })
}

// Undo implements [runtime.Change].
func (u *untag) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	u.before, err = engine.KeepRefs(ctx, k, u.ref)
	return undoOfRef(u.before), err
}

// Apply implements [runtime.Change].
func (u *untag) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if err := x.Hold(ctx, u.before.Images()...); err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{Value: changed(u.ref, true), After: engine.RefsLeft{u.ref: ""}}, x.RemoveImage(ctx, u.ref, false)
}

// Predict implements [runtime.Change].
func (u *untag) Predict(w *runtime.World) (starlark.Value, error) {
	engine.PredictedImages(w).Remove(u.ref)
	return changed(u.ref, true), nil
}
