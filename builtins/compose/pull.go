package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type pullArgs struct {
	projectArgs
	Services runtime.Strings `arg:"services" default:"" doc:"only the images of these; None is all that name an image"`
	Username string          `arg:"username" default:"" doc:"who asks the registries"`
	Token    string          `arg:"token" default:"" doc:"the password or access token; read it with secret.env or secret.file"`
}

var pullBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.pull", Returns: imagesDoc, Undo: runtime.Exact,
	Permission: "`docker` on compose:PROJECT, `net` on the registries, such as registry.example:5000 or " + imageref.DockerHub,
	Doc: "Brings the images of a project from their registries, unless those here are the ones that the registries have. A preview " +
		"asks the registries as well, so that a wrong token or name is found before a run, but brings nothing. The token goes to " +
		"the engine with each question and is written nowhere. Undo has the names lead to the images to which they led.",
	Example: `compose.pull("/opt/infra-core/current", name = "infra-core", token = secret.env("REGISTRY_TOKEN"))`,
}, func(c *runtime.Call, a pullArgs) (starlark.Value, error) {
	if a.Token != "" {
		if err := c.AddSecret(a.Token); err != nil {
			return nil, err
		}
	}
	if a.Username != "" && a.Token == "" {
		return nil, errors.New("a username needs a token")
	}
	p, err := a.Load(c)
	if err != nil {
		return nil, err
	}
	names := func(s string) bool { return p.Services[s].Image != "" }
	services, err := selectServices(p, a.Services, names, "names no image: compose.build makes it")
	if err != nil {
		return nil, err
	}
	change := &pull{project: p.Name, refs: refsOf(p, services)}
	if a.Token != "" {
		user := a.Username
		if user == "" {
			user = "token"
		}
		if change.auth, err = registry.EncodeAuthConfig(registry.AuthConfig{Username: user, Password: a.Token}); err != nil {
			return nil, fmt.Errorf("token: %w", err)
		}
	}
	return c.Do(change)
})

// pull is the change that brings images.
type pull struct {
	project string
	refs    []string
	auth    string // as the engine takes it

	missing []string // refs that are to be brought
	undo    *engine.Refs
}

// Describe implements [runtime.Change].
func (p *pull) Describe() runtime.Description {
	needs := []policy.Need{need(p.project)}
	for _, ref := range p.refs {
		// One that is no name is refused by the probe.
		if name, err := imageref.Parse(ref); err == nil && !slices.Contains(needs, name.NeedRegistry()) {
			needs = append(needs, name.NeedRegistry())
		}
	}
	return runtime.Description{Call: "compose.pull", Target: p.project, Undo: runtime.Exact, Needs: needs}
}

// Probe implements [runtime.Change].
func (p *pull) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, err := engine.Look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	var diff strings.Builder
	for _, ref := range p.refs {
		name, err := imageref.Parse(ref)
		if err != nil {
			return runtime.Finding{}, err
		}
		if e.Assumed() != "" {
			p.missing = append(p.missing, ref)
			continue
		}
		offered, err := e.DistributionInspect(ctx, ref, p.auth)
		if err != nil {
			return runtime.Finding{}, fmt.Errorf("ask the registry %s for %s: %w", name.Registry, ref, engine.Explain(ctx, err))
		}
		there, err := e.SeeImage(ctx, r, ref)
		if err != nil {
			return runtime.Finding{}, err
		}
		digest := offered.Descriptor.Digest.String()
		if there.InspectResponse != nil && slices.ContainsFunc(there.RepoDigests, func(d string) bool { return strings.HasSuffix(d, "@"+digest) }) {
			continue
		}
		p.missing = append(p.missing, ref)
		fmt.Fprintf(&diff, "+ %s %s\n", ref, imageref.Short(digest))
	}
	if len(p.missing) == 0 {
		return runtime.Finding{Summary: fmt.Sprintf("the registries have nothing newer than the %d images here", len(p.refs)), Value: imagesValue(false, p.refs)}, nil
	}
	return runtime.Finding{
		Needed: true, Summary: "bring " + strings.Join(p.missing, ", "), Diff: diff.String(), Assumed: assumptions(e, nil),
	}, nil
}

// Undo implements [runtime.Change].
func (p *pull) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	p.undo, err = engine.KeepRefs(ctx, k, p.missing...)
	return &runtime.Undo{Kind: imagesKind, Args: p.undo}, err
}

// Apply implements [runtime.Change].
func (p *pull) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if err := x.Hold(ctx, p.undo.Images()...); err != nil {
		return runtime.Applied{}, err
	}
	for _, ref := range p.missing {
		if err := x.Pull(ctx, ref, p.auth); err != nil {
			return runtime.Applied{}, x.Unchanged(ctx, p.undo, fmt.Errorf("bring image %s: %w", ref, err))
		}
	}
	after, err := x.Lead(ctx, p.undo)
	return runtime.Applied{Value: imagesValue(true, p.refs), After: after}, err
}

// Predict implements [runtime.Change].
func (p *pull) Predict(w *runtime.World) (starlark.Value, error) {
	return predictImages(w, "compose.pull", p.missing)
}
