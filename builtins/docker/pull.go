package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

type pullArgs struct {
	Ref string `arg:"ref" doc:"its name, such as registry.example:5000/app:1.4; without a tag that of the tag latest"`
	login
}

var pullBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.pull", Returns: "as docker.image", Undo: runtime.Exact,
	Permission: imagePermission + ", `net` on the registry, such as registry.example:5000 or " + imageref.DockerHub,
	Doc: "Brings an image from a registry, unless the image of that name here is the one that the registry has. A preview asks " +
		"the registry as well, so that a wrong token or name is found before a run, but brings nothing. Who asks is written " +
		"nowhere. Undo has the name lead to the image to which it led, which is kept until then.",
	Example: `docker.pull("registry.example:5000/app:1.4", token = secret.env("REGISTRY_TOKEN"))`,
}, func(c *runtime.Call, a pullArgs) (starlark.Value, error) {
	ref, err := imageref.Parse(a.Ref)
	if err != nil {
		return nil, err
	}
	auth, err := a.config(c)
	if err != nil {
		return nil, err
	}
	return c.Do(&pull{ref: ref, auth: auth})
})

// pull is the change that brings an image.
type pull struct {
	ref  imageref.Ref
	auth *registry.AuthConfig

	before *engine.Refs
}

// Describe implements [runtime.Change].
func (p *pull) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.pull", Target: p.ref.Name, Undo: runtime.Exact,
		Needs: needs(needImage(p.ref.Name), p.ref.NeedRegistry()),
	}
}

// Probe implements [runtime.Change].
func (p *pull) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true}
		there, err := e.SeeImage(ctx, r, p.ref.Name)
		if err != nil {
			return found, err
		}
		if e.Assumed() != "" {
			found.Summary = "bring it"
			return found, nil
		}
		auth, err := encoded(p.auth)
		if err != nil {
			return found, err
		}
		offered, err := e.DistributionInspect(ctx, p.ref.Name, auth)
		if err != nil {
			return found, fmt.Errorf("ask the registry %s: %w", p.ref.Registry, engine.Explain(ctx, err))
		}
		digest := p.ref.Repo + "@" + offered.Descriptor.Digest.String()
		switch {
		case there.InspectResponse == nil:
			found.Summary = "bring " + shortDigest(digest)
		case slices.Contains(there.RepoDigests, digest):
			found.Needed, found.Summary = false, "the registry has none that is newer"
			found.Value = imageValue(p.ref.Name, there.InspectResponse)
		default:
			found.Summary = fmt.Sprintf("bring %s in place of image %s", shortDigest(digest), imageref.Short(there.ID))
		}
		return found, nil
	})
}

// shortDigest shortens the digest of repo@sha256:digest.
func shortDigest(digest string) string {
	repo, sum, _ := strings.Cut(digest, "@")
	return repo + "@" + imageref.Short(sum)
}

// Undo implements [runtime.Change].
func (p *pull) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	p.before, err = engine.KeepRefs(ctx, k, p.ref.Name)
	return undoOfRef(p.before), err
}

// Apply implements [runtime.Change].
func (p *pull) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return brings(ctx, w, p.before, func(x *engine.Writer) error {
		auth, err := encoded(p.auth)
		if err != nil {
			return err
		}
		return x.Pull(ctx, p.ref.Name, auth)
	})
}

// undoOfRef is the undo record of a change that is about to change to which images names lead, the first above all.
func undoOfRef(before *engine.Refs) *runtime.Undo {
	if before == nil {
		return nil
	}
	return &runtime.Undo{Kind: refKind, Args: before, Note: before.Refs[0].Note()}
}

// brings makes the first of some names lead to another image, and returns what a recipe gets. A failure that leaves all of
// them as they were has changed nothing.
func brings(ctx context.Context, w *runtime.Writer, before *engine.Refs, do func(*engine.Writer) error) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if err := x.Hold(ctx, before.Images()...); err != nil {
		return runtime.Applied{}, err
	}
	if err := do(x); err != nil {
		return runtime.Applied{}, x.Unchanged(ctx, before, engine.Gone(ctx, err))
	}
	ref := before.Refs[0].Ref
	img, err := x.Image(ctx, ref)
	if err != nil {
		return runtime.Applied{}, err
	}
	if img == nil {
		return runtime.Applied{}, fmt.Errorf("the engine has no image %s now", ref)
	}
	return runtime.Applied{Value: imageValue(ref, img), After: engine.RefsLeft{ref: img.ID}}, nil
}

// Predict implements [runtime.Change].
func (p *pull) Predict(w *runtime.World) (starlark.Value, error) {
	engine.PredictedImages(w).Bring(p.ref.Name, "docker.pull")
	return imageGuess(p.ref.Name, "docker.pull"), nil
}
