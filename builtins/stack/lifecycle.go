package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// The verbs that concern the tasks of services.
const (
	stopVerb    = "stop"
	restartVerb = "restart"
)

type lifecycleArgs struct {
	nameArgs
	Services runtime.Strings `arg:"services" default:"" doc:"which services, by their names within the stack; all of them by default"`
	Timeout  runtime.Seconds `arg:"timeout" default:"10m" doc:"how long all of it may take, in seconds, and how long an undo waits for the services"`
}

var stopBuiltin = runtime.Define(runtime.Builtin{
	Name: "stack.stop", Returns: "struct(stack, changed)", Undo: runtime.Compensating, Permission: "`docker` on stack:name",
	Doc: "Stops services of a stack: they stay, with no tasks, until stack.deploy gives them as many as the compose file says. It waits " +
		"until no task of them runs any more. A service that is not there has none. One of the mode global cannot be stopped: " +
		"stack.remove takes it away. Undo gives the services the tasks that they had.",
	Example: `stack.stop("infra-core", services = ["console"])`,
}, func(c *runtime.Call, a lifecycleArgs) (starlark.Value, error) { return change(c, stopVerb, a) })

var restartBuiltin = runtime.Define(runtime.Builtin{
	Name: "stack.restart", Returns: "struct(stack, changed)", Undo: runtime.Compensating, Permission: "`docker` on stack:name",
	Doc: "Gives services of a stack new tasks in the place of those that they have, as their update_config says, and watches that as " +
		"stack.deploy does. It is always done, but to services that are stopped or not there: stack.deploy starts those. Undo has " +
		"the services run as they did.",
	Example: `stack.restart("infra-core", services = ["console"])`,
}, func(c *runtime.Call, a lifecycleArgs) (starlark.Value, error) { return change(c, restartVerb, a) })

func change(c *runtime.Call, verb string, a lifecycleArgs) (starlark.Value, error) {
	if err := checkName(a.Name); err != nil {
		return nil, err
	}
	return c.Do(&lifecycle{verb: verb, stack: a.Name, wanted: a.Services, timeout: a.Timeout.Duration})
}

// lifecycle is the change that ends tasks of services, for good or for new ones.
type lifecycle struct {
	verb    string
	stack   string
	wanted  []string // within the stack; none are all
	timeout time.Duration

	state   *state
	touched []swarm.Service
	undo    *restoreArgs
}

// Describe implements [runtime.Change].
func (l *lifecycle) Describe() runtime.Description {
	return runtime.Description{
		Call: "stack." + l.verb, Target: l.stack, Undo: runtime.Compensating, Needs: []policy.Need{need(l.stack)},
		UndoNote: "gives the services the tasks that they had",
	}
}

// Probe implements [runtime.Change].
func (l *lifecycle) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, s, err := opened(ctx, r, l.stack)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	l.state = s
	if err := l.choose(); err != nil {
		return runtime.Finding{}, err
	}
	if len(l.touched) == 0 {
		return runtime.Finding{Summary: "there are no tasks", Value: value(l.stack, false)}, nil
	}
	var names []string
	for _, one := range l.touched {
		names = append(names, short(l.stack, one.Spec.Name))
	}
	found := runtime.Finding{Needed: true, Summary: l.verb + " " + strings.Join(names, ", "), Assumed: e.Assumed()}
	if r.Preview() && l.verb == restartVerb {
		found.Assumed = strings.TrimPrefix(found.Assumed+"; that the tasks come up", "; ")
	}
	return found, nil
}

// choose finds the services that are meant and that there is something to do about.
func (l *lifecycle) choose() error {
	for _, one := range l.state.services {
		name := short(l.stack, one.Spec.Name)
		if len(l.wanted) > 0 && !slices.Contains(l.wanted, name) {
			continue
		}
		n, replicated := replicas(one.Spec.Mode)
		switch {
		case l.verb == stopVerb && !replicated:
			return fmt.Errorf("service %s is %s: it cannot have no tasks; stack.remove takes it away", name, kindOf(one.Spec.Mode))
		case replicated && n == 0:
			continue // it is stopped
		}
		l.touched = append(l.touched, one)
	}
	return nil
}

// spec is the specification that a service is to have.
func (l *lifecycle) spec(s swarm.Service) swarm.ServiceSpec {
	spec := s.Spec
	if l.verb == restartVerb {
		spec.TaskTemplate.ForceUpdate++
		return spec
	}
	none := uint64(0)
	spec.Mode.Replicated = &swarm.ReplicatedService{Replicas: &none}
	return spec
}

// Undo implements [runtime.Change].
func (l *lifecycle) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var touched []string
	for _, s := range l.touched {
		touched = append(touched, s.Spec.Name)
	}
	var err error
	if l.undo, err = keepStack(ctx, k, l.stack, touched, nil, l.timeout); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: restoreKind, Args: l.undo}, nil
}

// Apply implements [runtime.Change].
func (l *lifecycle) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	c, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer c.Close()
	if err := c.Hold(ctx, l.undo.held()...); err != nil {
		return runtime.Applied{}, err
	}
	watch := &watch{control: c, stack: l.stack}
	ending := map[string]string{}
	for _, s := range l.touched {
		one, err := c.put(ctx, l.spec(s), &s, "")
		if err != nil {
			return runtime.Applied{}, err
		}
		watch.services = append(watch.services, one)
		ending[one.id] = one.name
	}
	if l.verb == restartVerb {
		err = watch.until(ctx, l.timeout)
	} else {
		err = c.waitEnded(ctx, ending, l.timeout)
	}
	if err != nil {
		return runtime.Applied{}, engine.Gone(ctx, err)
	}
	after, err := leaves(ctx, c.Client, l.stack, w.Fingerprint)
	return runtime.Applied{Value: value(l.stack, true), After: after}, err
}

// Predict implements [runtime.Change].
func (l *lifecycle) Predict(w *runtime.World) (starlark.Value, error) {
	next := predict(l.state)
	for _, s := range l.touched {
		spec := l.spec(s)
		for _, port := range takenPorts(s.Spec) {
			ports.Of(w).Free(port)
		}
		for _, port := range takenPorts(spec) {
			ports.Of(w).Take(port, "service "+spec.Name)
		}
		next.services[spec.Name] = spec
	}
	predictions(w).set(l.stack, next)
	return value(l.stack, true), nil
}
