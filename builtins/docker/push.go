package docker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

type pushArgs struct {
	Ref string `arg:"ref" doc:"its name, with the registry and a tag: registry.example:5000/app:1.4"`
	login
}

var pushBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.push", Undo: runtime.NoUndo,
	Returns:    "struct(ref, digest): the digest under which the registry has the image now",
	Permission: imagePermission + ", `net` on the registry, such as registry.example:5000",
	Doc: "Brings an image to a registry. It is always done, since a registry is not asked for what it has; layers that are " +
		"there already are not sent again. Nothing undoes it: others may have pulled the image since.",
	Example: `docker.push("registry.example:5000/app:1.4", username = "ci", password = secret.env("REGISTRY_PASSWORD"))`,
}, func(c *runtime.Call, a pushArgs) (starlark.Value, error) {
	ref, err := imageref.Parse(a.Ref)
	if err != nil {
		return nil, err
	}
	if err := ref.Tagged(); err != nil {
		return nil, err
	}
	auth, err := a.config(c)
	if err != nil {
		return nil, err
	}
	return c.Do(&push{ref: ref, auth: auth})
})

// push is the change that brings an image to a registry.
type push struct {
	ref  imageref.Ref
	auth *registry.AuthConfig
}

// Describe implements [runtime.Change].
func (p *push) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.push", Target: p.ref.Name, Undo: runtime.NoUndo,
		Needs: needs(needImage(p.ref.Name), p.ref.NeedRegistry()),
	}
}

// Probe implements [runtime.Change].
func (p *push) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		there, err := e.SeeImage(ctx, r, p.ref.Name)
		if err == nil && !there.There() {
			err = errNoImage
		}
		return runtime.Finding{Needed: true, Summary: "to " + p.ref.Registry}, err
	})
}

// Undo implements [runtime.Change].
func (p *push) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) { return nil, nil }

// Apply implements [runtime.Change].
func (p *push) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	auth, err := encoded(p.auth)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	answer, err := x.API.ImagePush(ctx, p.ref.Name, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		return runtime.Applied{}, engine.Explain(ctx, err)
	}
	var result struct{ Digest string }
	show := engine.Layers(w, "push "+p.ref.Name)
	err = engine.Follow(ctx, answer, func(m engine.Message) {
		show(m)
		if m.Aux != nil {
			_ = json.Unmarshal(m.Aux, &result) // there are other reports than this one
		}
	})
	if err != nil {
		return runtime.Applied{}, fmt.Errorf("to %s: %w", p.ref.Registry, err)
	}
	return runtime.Applied{Value: structOf(starlark.StringDict{
		"ref": starlark.String(p.ref.Name), "digest": starlark.String(result.Digest),
	})}, nil
}

// Predict implements [runtime.Change].
func (p *push) Predict(*runtime.World) (starlark.Value, error) {
	return partial("what docker.push of "+p.ref.Name+" gives", []string{"ref", "digest"},
		starlark.StringDict{"ref": starlark.String(p.ref.Name)}), nil
}
