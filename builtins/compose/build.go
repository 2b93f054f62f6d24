package compose

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.starlark.net/starlark"
	"gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
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
	Permission: "`docker` on compose:PROJECT, `fs.read` on the build contexts with all below them, and on Dockerfiles outside of them",
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
	b := &build{project: p, services: services, refs: builtRefs(p, services), timeout: a.Timeout, noCache: a.NoCache}
	for _, s := range services {
		d := &buildDemander{project: p, name: s, build: p.Services[s].Build, need: c.Need}
		if err := d.check(); err != nil {
			return nil, err
		}
		b.read = append(b.read, d.read...)
	}
	if b.text, b.env, err = buildFile(p, services); err != nil {
		return nil, err
	}
	return c.Do(b)
})

// build is the change that builds images.
type build struct {
	project  *project
	services []string
	refs     []string
	read     []policy.Need // the directories that are given to the build, with all below them
	text     []byte
	env      map[string]string // variables that the text names
	timeout  runtime.Seconds
	noCache  bool

	cli  *cli
	undo *engine.Refs
}

// builtRefs are the names of the images that building services makes.
func builtRefs(p *project, services []string) []string {
	refs := refsOf(p, services)
	for _, s := range services {
		for _, tag := range p.Services[s].Build.Tags {
			refs = append(refs, imageref.Shown(tag))
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// buildFile is a project that has only what building takes, and variables that it names.
func buildFile(p *project, services []string) ([]byte, map[string]string, error) {
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
		return nil, nil, fmt.Errorf("write what is to be built: %w", err)
	}
	var doc map[string]any
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, nil, fmt.Errorf("write what is to be built: %w", err)
	}
	delete(doc, "name")
	all, _ := doc["services"].(map[string]any)
	for _, s := range all {
		if s, ok := s.(map[string]any); ok {
			simplify(s)
		}
	}
	env := nameSecrets(p, doc)
	escape(doc)
	text, err = yaml.Marshal(doc)
	return text, env, err
}

// Describe implements [runtime.Change].
func (b *build) Describe() runtime.Description {
	return runtime.Description{
		Call: "compose.build", Target: b.project.Name, Undo: runtime.Exact,
		Needs: append([]policy.Need{need(b.project.Name)}, b.read...), Tree: true,
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
	if err := b.cli.check(ctx, r, b.project.Name, b.text); err != nil {
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
	maps.Copy(s.Env, b.env)
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
