package stack

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type deployArgs struct {
	composefile.Args
	Services      runtime.Strings `arg:"services" default:"" doc:"only these services of the compose file; the others stay as they are"`
	Wait          bool            `arg:"wait" default:"true" doc:"whether to wait until every service that was touched is as wanted"`
	Timeout       runtime.Seconds `arg:"timeout" default:"10m" doc:"how long all of it may take, in seconds; a service that is updated takes at least its update_config's monitor for each step"`
	Steady        runtime.Seconds `arg:"steady" default:"3s" doc:"how long all tasks of a service have to run, in seconds"`
	Restarts      int             `arg:"restarts" default:"0" doc:"how many failed tasks of a service are tolerated that the swarm itself does not judge, because it is new"`
	RemoveOrphans bool            `arg:"remove_orphans" default:"true" doc:"whether services of the stack are removed that are not in the compose file any more"`
	Username      string          `arg:"username" default:"" doc:"who asks the registries; the machines ask as the same"`
	Token         string          `arg:"token" default:"" doc:"the password or access token; read it with secret.env or secret.file"`
}

var deployBuiltin = runtime.Define(runtime.Builtin{
	Name: "stack.deploy", Returns: "struct(stack, changed)", Undo: runtime.Compensating,
	Permission: "`docker` on stack:NAME and on all that lets a container out, such as host-path:/PATH; `fs.read` on the files; `net` on the " +
		"registries of images that are not on this machine",
	Doc: "Brings the services of a project up on a swarm, or updates them as their update_config says. Services that are as the file says are " +
		"not touched. Images are named by digest where a registry has them. It waits for each service: for the swarm's word on the " +
		"update, and until all of its tasks have run for a while, which takes a healthy container where there is a health check. If a " +
		"service fails, or the swarm pauses its update or takes it back, the call fails, with what the failed tasks printed, and the " +
		"whole stack goes back: every service has the specification that it had, and what was made is removed. A config or " +
		"secret with another content is another one; those that no service needs any more stay. Whether a secret has another content " +
		"is only known with the state directory with which it was made: with another one services get their secrets anew. Volumes stay. A preview says " +
		"which services would change, and why.",
	Example: `stack.deploy("/opt/infra-core/current", files = ["docker-stack.yml"], name = "infra-core", env_files = ["/etc/infra-core/stack.env"])`,
}, func(c *runtime.Call, a deployArgs) (starlark.Value, error) {
	if a.Username != "" && a.Token == "" {
		return nil, errors.New("a username needs a token")
	}
	d := &deploy{
		only: a.Services, orphans: a.RemoveOrphans && len(a.Services) == 0, wait: a.Wait, timeout: a.Timeout.Duration, steady: a.Steady.Duration, restarts: a.Restarts, need: c.Need,
	}
	if a.Token != "" {
		if err := c.AddSecret(a.Token); err != nil {
			return nil, err
		}
		if a.Username == "" {
			a.Username = "token"
		}
		var err error
		if d.auth, err = registry.EncodeAuthConfig(registry.AuthConfig{Username: a.Username, Password: a.Token}); err != nil {
			return nil, fmt.Errorf("token: %w", err)
		}
	}
	p, err := a.Load(c)
	if err != nil {
		return nil, err
	}
	if d.def, err = define(p, composefile.Contents(c, p), c.Reader().Fingerprint); err != nil {
		return nil, err
	}
	return c.Do(d)
})

// deploy is the change that brings a stack up.
type deploy struct {
	def      *definition
	only     []string // services, as the compose file calls them; none are all
	orphans  bool
	wait     bool
	timeout  time.Duration
	steady   time.Duration
	restarts int
	auth     string
	need     func(...policy.Need) error

	plan  *plan
	state *state
	undo  *restoreArgs
}

// Describe implements [runtime.Change].
func (d *deploy) Describe() runtime.Description {
	return runtime.Description{
		Call: "stack.deploy", Target: d.def.name, Undo: runtime.Compensating,
		UndoNote: "gives all services the specifications that they had, and waits for them",
		Needs:    []policy.Need{need(d.def.name)},
	}
}

// Undo implements [runtime.Change].
func (d *deploy) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var touched []string
	for _, s := range d.plan.steps {
		if s.old != nil {
			touched = append(touched, s.old.Spec.Name)
		}
	}
	var err error
	if d.undo, err = keepStack(ctx, k, d.def.name, touched, nil, d.timeout); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: restoreKind, Args: d.undo}, nil
}

// Apply implements [runtime.Change].
func (d *deploy) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, d.undo.held()...); err != nil {
		return runtime.Applied{}, err
	}
	watched, err := c.carryOut(ctx, d)
	if err == nil && d.wait {
		watch := &watch{control: c, stack: d.def.name, steady: d.steady, restarts: d.restarts, services: watched}
		err = watch.until(ctx, d.timeout)
	}
	if err != nil {
		return runtime.Applied{}, engine.Gone(ctx, err)
	}
	after, err := leaves(ctx, c.Client, d.def.name, w.Fingerprint)
	return runtime.Applied{Value: value(d.def.name, true), After: after}, err
}

// value is what a call that changes a stack evaluates to.
func value(stack string, changed bool) starlark.Value {
	return structOf(starlark.StringDict{"stack": starlark.String(stack), "changed": starlark.Bool(changed)})
}

// Predict implements [runtime.Change].
func (d *deploy) Predict(w *runtime.World) (starlark.Value, error) {
	next := predict(d.state)
	for _, s := range d.plan.steps {
		if s.old != nil {
			for _, port := range takenPorts(s.old.Spec) {
				ports.Of(w).Free(port)
			}
		}
		if s.act == remove {
			delete(next.services, s.old.Spec.Name)
			continue
		}
		next.services[s.spec.Name] = s.spec
		for _, port := range takenPorts(s.spec) {
			ports.Of(w).Take(port, "service "+s.spec.Name)
		}
	}
	for _, n := range d.def.networks {
		if _, ok := next.networks[n.name]; !ok {
			next.networks[n.name] = n.inspect()
		}
	}
	for _, f := range d.def.files {
		next.files[f.id()] = f.labels
	}
	predictions(w).set(d.def.name, next)
	return value(d.def.name, true), nil
}

// publishedPorts are the TCP ports that a service takes on machines of the swarm, this one among them.
func publishedPorts(spec swarm.ServiceSpec) []int {
	var list []int
	if spec.EndpointSpec == nil {
		return nil
	}
	for _, p := range spec.EndpointSpec.Ports {
		if p.PublishedPort != 0 && p.Protocol == swarm.PortConfigProtocolTCP {
			list = append(list, int(p.PublishedPort))
		}
	}
	return list
}

// takenPorts are those that are taken as many tasks as the service is to have: where a port is published on the machine of
// the task, one without tasks takes none.
func takenPorts(spec swarm.ServiceSpec) []int {
	if n, ok := replicas(spec.Mode); ok && n == 0 && spec.EndpointSpec != nil && spec.EndpointSpec.Mode == swarm.ResolutionModeDNSRR {
		return nil
	}
	return publishedPorts(spec)
}

// opened is a look at a stack, as a preview predicts it.
func opened(ctx context.Context, r *runtime.Reader, name string) (*engine.Client, *state, error) {
	e, err := engine.Look(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	s, err := seen(ctx, r, e, name)
	if err != nil {
		e.Close()
	}
	return e, s, err
}
