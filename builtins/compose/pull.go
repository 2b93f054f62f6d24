package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
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
	Permission: "`docker` on compose:PROJECT, `net` on the registries, such as registry.example:5000 or " + dockerHub,
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

// dockerHub is where images are whose names have no registry.
const dockerHub = "registry-1.docker.io:443"

// registryOf is the host and port of an image's registry.
func registryOf(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("%q is no name of an image: %w", ref, err)
	}
	host := reference.Domain(named)
	switch {
	case host == "docker.io":
		return dockerHub, nil
	case !strings.Contains(strings.TrimPrefix(host, "["), ":") || strings.HasSuffix(host, "]"):
		host += ":443"
	}
	return host, nil
}

// pull is the change that brings images.
type pull struct {
	project string
	refs    []string
	auth    string // as the engine takes it

	missing []string // refs that are to be brought
	undo    *imagesArgs
}

// Describe implements [runtime.Change].
func (p *pull) Describe() runtime.Description {
	needs := []policy.Need{need(p.project)}
	for _, ref := range p.refs {
		// One that is no name is refused by the probe.
		if host, err := registryOf(ref); err == nil {
			if n := (policy.Need{Kind: "net", Target: host}); !slices.Contains(needs, n) {
				needs = append(needs, n)
			}
		}
	}
	return runtime.Description{Call: "compose.pull", Target: p.project, Undo: runtime.Exact, Needs: needs}
}

// Probe implements [runtime.Change].
func (p *pull) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	var diff strings.Builder
	for _, ref := range p.refs {
		host, err := registryOf(ref)
		if err != nil {
			return runtime.Finding{}, err
		}
		offered, err := e.DistributionInspect(ctx, ref, p.auth)
		if err != nil {
			return runtime.Finding{}, fmt.Errorf("ask the registry %s for %s: %w", host, ref, engine.Explain(ctx, err))
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
		fmt.Fprintf(&diff, "+ %s %s\n", ref, short(digest))
	}
	if len(p.missing) == 0 {
		return runtime.Finding{Summary: fmt.Sprintf("the registries have nothing newer than the %d images here", len(p.refs)), Value: imagesValue(false, p.refs)}, nil
	}
	return runtime.Finding{Needed: true, Summary: "bring " + strings.Join(p.missing, ", "), Diff: diff.String()}, nil
}

// Undo implements [runtime.Change].
func (p *pull) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	p.undo, err = keepRefs(ctx, k, p.missing)
	return &runtime.Undo{Kind: imagesKind, Args: p.undo}, err
}

// Apply implements [runtime.Change].
func (p *pull) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if err := p.undo.hold(ctx, x); err != nil {
		return runtime.Applied{}, err
	}
	for _, ref := range p.missing {
		answer, err := x.API.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: p.auth})
		if err == nil {
			err = engine.Follow(ctx, answer, layers(w, ref))
		}
		if err != nil {
			return runtime.Applied{}, p.undo.unchanged(ctx, x, fmt.Errorf("bring image %s: %w", ref, engine.Explain(ctx, err)))
		}
	}
	after, err := p.undo.now(ctx, x.Client)
	return runtime.Applied{Value: imagesValue(true, p.refs), After: after}, err
}

// layers shows how far the layers of an image have come.
func layers(w *runtime.Writer, ref string) func(engine.Message) {
	known := map[string]engine.Progress{}
	return func(m engine.Message) {
		if m.ID == "" || m.Progress.Total <= 0 {
			return
		}
		known[m.ID] = m.Progress
		bar := events.Bar{What: "pull " + ref, Unit: "bytes"}
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
	return predictImages(w, "compose.pull", p.missing)
}
