package stack

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type removeArgs struct {
	nameArgs
	Timeout runtime.Seconds `arg:"timeout" default:"10m" doc:"how long an undo waits for the services, in seconds"`
}

var removeBuiltin = runtime.Define(runtime.Builtin{
	Name: "stack.remove", Returns: "struct(stack, changed)", Undo: runtime.Compensating, Permission: "`docker` on stack:name",
	Doc: "Removes the services and networks of a stack, and waits until its tasks on this machine have ended. It needs no compose file. " +
		"Volumes stay, and so do configs and secrets: what is in a secret a swarm tells nobody, so a rollback could not make it again. " +
		"Undo makes the networks and services again.",
	Example: `stack.remove("infra-core")`,
}, func(c *runtime.Call, a removeArgs) (starlark.Value, error) {
	if err := checkName(a.Name); err != nil {
		return nil, err
	}
	return c.Do(&removal{name: a.Name, timeout: a.Timeout.Duration})
})

// removal is the change that takes a stack away.
type removal struct {
	name    string
	timeout time.Duration

	state *state
	undo  *restoreArgs
}

// Describe implements [runtime.Change].
func (d *removal) Describe() runtime.Description {
	return runtime.Description{
		Call: "stack.remove", Target: d.name, Undo: runtime.Compensating, Needs: []policy.Need{need(d.name)},
		UndoNote: "makes the services again",
	}
}

// Probe implements [runtime.Change].
func (d *removal) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, s, err := opened(ctx, r, d.name)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	d.state = s
	if len(s.services)+len(s.networks) == 0 {
		return runtime.Finding{Summary: "nothing of it is there", Value: value(d.name, false)}, nil
	}
	var diff strings.Builder
	for _, one := range s.services {
		fmt.Fprintf(&diff, "- remove service %s\n", short(d.name, one.Spec.Name))
	}
	for _, n := range s.networks {
		fmt.Fprintf(&diff, "- remove network %s\n", n.Name)
	}
	return runtime.Finding{
		Needed: true, Diff: diff.String(), Assumed: e.Assumed(),
		Summary: fmt.Sprintf("remove %d services, %d networks", len(s.services), len(s.networks)),
	}, nil
}

// Undo implements [runtime.Change].
func (d *removal) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var touched []string
	for _, s := range d.state.services {
		touched = append(touched, s.Spec.Name)
	}
	var err error
	if d.undo, err = keepStack(ctx, k, d.name, touched, d.timeout); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: restoreKind, Args: d.undo}, nil
}

// Apply implements [runtime.Change].
func (d *removal) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, d.undo.Images...); err != nil {
		return runtime.Applied{}, err
	}
	var names []string
	for _, s := range d.state.services {
		names = append(names, s.Spec.Name)
		if err := c.removeService(ctx, s.ID, s.Spec.Name); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := c.waitGone(ctx, d.name, names); err != nil {
		return runtime.Applied{}, err
	}
	for _, n := range d.state.networks {
		if err := c.removeNetwork(ctx, n.ID, n.Name); err != nil {
			return runtime.Applied{}, err
		}
	}
	return runtime.Applied{Value: value(d.name, true), After: left{}}, nil
}

// Predict implements [runtime.Change].
func (d *removal) Predict(w *runtime.World) (starlark.Value, error) {
	for _, s := range d.state.services {
		for _, port := range publishedPorts(s.Spec) {
			ports.Of(w).Free(port)
		}
	}
	files := map[string]bool{}
	for _, f := range d.state.configs {
		files[string(configKind)+" "+f.Spec.Name] = true
	}
	for _, f := range d.state.secrets {
		files[string(secretKind)+" "+f.Spec.Name] = true
	}
	predictions(w).set(d.name, &predicted{map[string]swarm.ServiceSpec{}, map[string]bool{}, files})
	return value(d.name, true), nil
}
