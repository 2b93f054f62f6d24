package docker

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

type pullArgs struct {
	Ref string `arg:"ref" doc:"its name, such as registry.example:5000/app:1.4; without a tag that of the tag latest"`
	login
}

var pullBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.pull", Returns: "as docker.image", Undo: runtime.Exact,
	Permission: imagePermission + ", `net` on the registry, such as registry.example:5000 or " + dockerHub,
	Doc: "Brings an image from a registry, unless the image of that name here is the one that the registry has. A preview asks " +
		"the registry as well, so that a wrong token or name is found before a run, but brings nothing. Who asks is written " +
		"nowhere. Undo has the name lead to the image to which it led, which is kept until then.",
	Example: `docker.pull("registry.example:5000/app:1.4", token = secret.env("REGISTRY_TOKEN"))`,
}, func(c *runtime.Call, a pullArgs) (starlark.Value, error) {
	ref, err := parseRef(a.Ref)
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
	ref  imageRef
	auth *registry.AuthConfig

	before *engine.Kept
}

// Describe implements [runtime.Change].
func (p *pull) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.pull", Target: p.ref.ref, Undo: runtime.Exact,
		Needs: needs(needImage(p.ref.ref), p.ref.needRegistry()),
	}
}

// Probe implements [runtime.Change].
func (p *pull) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true}
		there, err := e.SeeImage(ctx, r, p.ref.ref)
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
		offered, err := e.DistributionInspect(ctx, p.ref.ref, auth)
		if err != nil {
			return found, fmt.Errorf("ask the registry %s: %w", p.ref.registry, engine.Explain(ctx, err))
		}
		digest := p.ref.repo + "@" + offered.Descriptor.Digest.String()
		switch {
		case there.InspectResponse == nil:
			found.Summary = "bring " + shortDigest(digest)
		case slices.Contains(there.RepoDigests, digest):
			found.Needed, found.Summary = false, "the registry has none that is newer"
			found.Value = imageValue(p.ref.ref, there.InspectResponse)
		default:
			found.Summary = fmt.Sprintf("bring %s in place of image %s", shortDigest(digest), short(there.ID))
		}
		return found, nil
	})
}

// shortDigest shortens the digest of repo@sha256:digest.
func shortDigest(digest string) string {
	repo, sum, _ := strings.Cut(digest, "@")
	return repo + "@" + short(sum)
}

// Undo implements [runtime.Change].
func (p *pull) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	p.before, err = keepRef(ctx, k, p.ref.ref)
	return undoOfRef(p.ref.ref, p.before), err
}

// Apply implements [runtime.Change].
func (p *pull) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return brings(ctx, w, p.ref.ref, p.before, nil, func(x *engine.Writer) error {
		auth, err := encoded(p.auth)
		if err != nil {
			return err
		}
		answer, err := x.API.ImagePull(ctx, p.ref.ref, image.PullOptions{RegistryAuth: auth})
		if err != nil {
			return engine.Explain(ctx, err)
		}
		return engine.Follow(ctx, answer, layers(w, "pull "+p.ref.ref))
	})
}

// brings makes a reference lead to another image, and returns what a recipe gets. What fails before it does, or brings one
// of others, has changed nothing.
func brings(
	ctx context.Context, w *runtime.Writer, ref string, before *engine.Kept, others []imageRef, do func(*engine.Writer) error,
) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if before != nil {
		if err := x.Hold(ctx, *before); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := do(x); err != nil {
		if before != nil && ctx.Err() == nil {
			_ = x.Release(ctx, *before) // else the undo does, if there is one
		}
		return runtime.Applied{}, sameRefs(ctx, x, ref, before, others, err)
	}
	img, err := x.Image(ctx, ref)
	if err != nil {
		return runtime.Applied{}, err
	}
	if img == nil {
		return runtime.Applied{}, fmt.Errorf("the engine has no image %s now", ref)
	}
	return runtime.Applied{Value: imageValue(ref, img), After: refLeft{img.ID}}, nil
}

// sameRefs marks a failure that left references as they were as one that changed nothing. Others led nowhere.
func sameRefs(ctx context.Context, x *engine.Writer, ref string, before *engine.Kept, others []imageRef, failure error) error {
	now, err := x.Image(ctx, ref)
	if err != nil || (before == nil) != (now == nil) || before != nil && before.ID != now.ID {
		return failure
	}
	for _, other := range others {
		if img, err := x.Image(ctx, other.ref); err != nil || img != nil {
			return failure
		}
	}
	return runtime.NotApplied(failure)
}

// layers shows how far the layers of an image have come.
func layers(w *runtime.Writer, what string) func(engine.Message) {
	known := map[string]engine.Progress{}
	return func(m engine.Message) {
		if m.ID == "" || m.Progress.Total <= 0 {
			return
		}
		known[m.ID] = m.Progress
		bar := events.Bar{What: what, Unit: "bytes"}
		for _, p := range known {
			bar.Current += p.Current
			bar.Total += p.Total
		}
		bar.Done = bar.Current == bar.Total
		w.Progress(bar)
	}
}

// Predict implements [runtime.Change].
func (p *pull) Predict(w *runtime.World) (starlark.Value, error) {
	engine.PredictedImages(w).Bring(p.ref.ref, "docker.pull")
	return imageGuess(p.ref.ref, "docker.pull"), nil
}
