package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.starlark.net/starlark"
	"gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type buildArgs struct {
	projectArgs
	Services runtime.Strings `arg:"services" default:"" doc:"only the images of these; None is all that can be built"`
	Timeout  runtime.Seconds `arg:"timeout" default:"30m" doc:"how long it may take, in seconds"`
	NoCache  bool            `arg:"no_cache" default:"false" doc:"whether every step is done anew"`
}

var buildBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.build", Returns: imagesDoc, Undo: runtime.Exact,
	Permission: "`docker` on compose:PROJECT, `fs.read` on the build contexts",
	Doc: "Builds the images of a project from source, with the Compose of this machine, and shows what it prints. A service without " +
		"image: gets the image PROJECT-SERVICE. Whether an image changes is known only when it is built: a preview takes it for " +
		"granted. Undo has the names lead to the images to which they led.",
	Example: `compose.build("/opt/infra-core/current", name = "infra-core")`,
}, func(c *runtime.Call, a buildArgs) (starlark.Value, error) {
	p, err := a.Load(c)
	if err != nil {
		return nil, err
	}
	builds := func(s string) bool { return p.Services[s].Build != nil }
	services, err := selectServices(p, a.Services, builds, "has no build section")
	if err != nil {
		return nil, err
	}
	complete(p)
	b := &build{project: p, services: services, refs: refsOf(p, services), timeout: a.Timeout, noCache: a.NoCache}
	for _, s := range services {
		if err := b.demand(c, s); err != nil {
			return nil, err
		}
	}
	if b.text, err = buildFile(p, services); err != nil {
		return nil, err
	}
	return c.Do(b)
})

// build is the change that builds images.
type build struct {
	project  *project
	services []string
	refs     []string
	text     []byte
	timeout  runtime.Seconds
	noCache  bool

	cli  *cli
	undo *engine.Refs
}

// demand fails unless the recipe may do what a build asks for.
func (b *build) demand(c *runtime.Call, name string) error {
	s := b.project.Services[name].Build
	at := func(key string) string { return b.project.At("services", name, "build", key) }
	check := func(key, what string, n policy.Need) error {
		if err := c.Need(n); err != nil {
			return fmt.Errorf("%s: service %s %s: %w", at(key), name, what, err)
		}
		return nil
	}
	contexts := map[string]string{"context": s.Context}
	maps.Copy(contexts, s.AdditionalContexts)
	for key, dir := range contexts {
		if !filepath.IsAbs(dir) {
			return fmt.Errorf("%s: service %s: the build context %s is not on this machine: check it out with git.checkout", at(key), name, dir)
		}
		if err := check(key, "is built from "+dir, policy.Need{Kind: "fs.read", Target: dir}); err != nil {
			return err
		}
	}
	for _, secret := range s.Secrets {
		if file := b.project.Secrets[secret.Source].File; file != "" {
			if err := check("secrets", "is built with "+file, policy.Need{Kind: "fs.read", Target: file}); err != nil {
				return err
			}
		}
	}
	if s.Network == "host" {
		if err := check("network", "is built in the host's network", dockerpolicy.Need("host-network", "")); err != nil {
			return err
		}
	}
	if s.Privileged || len(s.Entitlements) > 0 {
		if err := check("privileged", "is built with the host's rights", dockerpolicy.Need("privileged", name)); err != nil {
			return err
		}
	}
	if len(s.SSH) > 0 {
		return fmt.Errorf("%s: service %s: a build with an SSH agent is not supported", at("ssh"), name)
	}
	return nil
}

// buildFile is a project that has only what building takes.
func buildFile(p *project, services []string) ([]byte, error) {
	only := types.Services{}
	for _, name := range services {
		s := p.Services[name]
		only[name] = types.ServiceConfig{
			ContainerSpec: types.ContainerSpec{Image: s.Image, Platform: s.Platform},
			WorkloadSpec:  types.WorkloadSpec{Build: s.Build},
		}
	}
	text, err := (&types.Project{Services: only, Secrets: p.Secrets}).MarshalYAML()
	if err != nil {
		return nil, fmt.Errorf("write what is to be built: %w", err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, fmt.Errorf("write what is to be built: %w", err)
	}
	delete(doc, "name")
	all, _ := doc["services"].(map[string]any)
	for _, s := range all {
		if s, ok := s.(map[string]any); ok {
			simplify(s)
		}
	}
	escape(doc)
	return yaml.Marshal(doc)
}

// Describe implements [runtime.Change].
func (b *build) Describe() runtime.Description {
	return runtime.Description{
		Call: "compose.build", Target: b.project.Name, Undo: runtime.Exact, Needs: []policy.Need{need(b.project.Name)},
	}
}

// Probe implements [runtime.Change].
func (b *build) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	if len(b.services) == 0 {
		return runtime.Finding{Summary: "nothing in it is built", Value: imagesValue(false, nil)}, nil
	}
	e, err := engine.Look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	if b.cli, err = findCLI(ctx, r, e); err != nil {
		return runtime.Finding{}, err
	}
	return runtime.Finding{
		Needed: true, Summary: fmt.Sprintf("build %s, by %s", strings.Join(b.refs, ", "), b.cli),
		Assumed: assumptions(e, b.cli, "that the build succeeds"),
	}, nil
}

// Undo implements [runtime.Change].
func (b *build) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	b.undo, err = engine.KeepRefs(ctx, k, b.refs...)
	return &runtime.Undo{Kind: imagesKind, Args: b.undo}, err
}

// Apply implements [runtime.Change].
func (b *build) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, b.undo.Images()...); err != nil {
		return runtime.Applied{}, err
	}
	args := []string{"build"}
	if b.noCache {
		args = append(args, "--no-cache")
	}
	s := b.cli.spec(b.project.Name, "-", b.project.WorkingDir, append(append(args, "--"), b.services...)...)
	s.Stdin, s.Timeout = string(b.text), b.timeout.Duration
	if b.cli.one && os.Getenv("COMPOSE_DOCKER_CLI_BUILD") == "" {
		s.Env["COMPOSE_DOCKER_CLI_BUILD"] = "0" // else it calls the docker command, which need not be there
	}
	if err := c.compose(ctx, s); err != nil {
		return runtime.Applied{}, c.Unchanged(ctx, b.undo, fmt.Errorf("%s: %w", b.cli, err))
	}
	after, err := c.Lead(ctx, b.undo)
	if err != nil {
		return runtime.Applied{}, err
	}
	changed := false
	for _, r := range b.undo.Refs {
		if r.Before == nil || !r.Same(after) {
			changed = true
		} else if err := c.Release(ctx, *r.Before); err != nil {
			return runtime.Applied{}, err
		}
	}
	return runtime.Applied{Value: imagesValue(changed, b.refs), After: after}, nil
}

// Predict implements [runtime.Change].
func (b *build) Predict(w *runtime.World) (starlark.Value, error) {
	return predictImages(w, "compose.build", b.refs)
}
