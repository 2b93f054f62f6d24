package stack

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// control changes a stack.
type control struct {
	*engine.Writer
}

func newControl(ctx context.Context, w *runtime.Writer) (*control, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return nil, err
	}
	if err := answers(ctx, x.Client); err != nil {
		x.Close()
		return nil, err
	}
	return &control{x}, nil
}

// electing is how long a swarm may be without a leader, as it is when the engine has just started anew.
const electing = 30 * time.Second

// answers waits until the swarm can be asked.
func answers(ctx context.Context, e *engine.Client) error {
	for deadline := time.Now().Add(electing); ; {
		_, err := e.NodeList(ctx, swarm.NodeListOptions{})
		switch {
		case err == nil:
			return nil
		case !away(err):
			return fmt.Errorf("ask the swarm: %w", engine.Explain(ctx, err))
		case time.Now().After(deadline):
			return fmt.Errorf("ask the swarm, for %v: %w", electing, engine.Explain(ctx, err))
		}
		if err := pause(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// carryOut makes and changes what is planned, all at once, and returns what is to be watched.
func (c *control) carryOut(ctx context.Context, d *deploy) ([]*watched, error) {
	state, err := look(ctx, c.Client, d.def.name)
	if err != nil {
		return nil, err
	}
	for _, n := range d.plan.networks {
		if err := c.makeNetwork(ctx, n.name, n.options); err != nil {
			return nil, err
		}
	}
	for _, f := range d.plan.files {
		if err := c.makeFile(ctx, f); err != nil {
			return nil, err
		}
	}
	if err := failpoint.Hit("stack.after-objects"); err != nil {
		return nil, err
	}
	for _, s := range d.plan.steps { // first: they may hold a port that is needed
		if s.act == remove {
			if err := c.removeService(ctx, s.old.ID, s.old.Spec.Name); err != nil {
				return nil, err
			}
		}
	}
	var all []*watched
	for _, s := range d.plan.steps {
		if s.act == remove {
			continue
		}
		if err := c.identify(ctx, &s.spec); err != nil {
			return nil, err
		}
		w, err := c.put(ctx, s.spec, state.service(s.spec.Name), d.auth)
		if err != nil {
			return nil, err
		}
		c.Run.Output("stdout", fmt.Sprintf("%s: %sd", s.name, s.act))
		all = append(all, w)
	}
	return all, nil
}

// put makes a service, or gives it a specification if it is there.
func (c *control) put(ctx context.Context, spec swarm.ServiceSpec, old *swarm.Service, auth string) (*watched, error) {
	w := &watched{name: spec.Name, updated: old != nil, known: map[string]bool{}}
	if old == nil {
		made, err := c.API.ServiceCreate(ctx, spec, swarm.ServiceCreateOptions{EncodedRegistryAuth: auth})
		if err != nil {
			return nil, fmt.Errorf("create service %s: %w", spec.Name, engine.Explain(ctx, err))
		}
		w.id = made.ID
	} else {
		w.id = old.ID
		tasks, err := tasksOf(ctx, c.Client, old.ID)
		if err != nil {
			return nil, err
		}
		for _, t := range tasks {
			w.known[t.ID] = true
		}
		if err := c.update(ctx, old.ID, spec, auth); err != nil {
			return nil, err
		}
	}
	if err := failpoint.Hit("stack.after-put"); err != nil {
		return nil, err
	}
	return w, c.remember(ctx, w)
}

// updateAttempts is how often an update is tried: the swarm itself changes a service while it works on it, and takes an
// update only of the newest version.
const updateAttempts = 20

func (c *control) update(ctx context.Context, id string, spec swarm.ServiceSpec, auth string) error {
	for n := 1; ; n++ {
		now, _, err := c.API.ServiceInspectWithRaw(ctx, id, swarm.ServiceInspectOptions{})
		if err != nil {
			return fmt.Errorf("look at service %s: %w", spec.Name, engine.Explain(ctx, err))
		}
		options := swarm.ServiceUpdateOptions{EncodedRegistryAuth: auth}
		if auth == "" {
			options.RegistryAuthFrom = swarm.RegistryAuthFromSpec
		}
		answer, err := c.API.ServiceUpdate(ctx, id, now.Version, spec, options)
		if err != nil && strings.Contains(err.Error(), "out of sequence") && n < updateAttempts {
			if err := pause(ctx, pollInterval/3); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return fmt.Errorf("update service %s: %w", spec.Name, engine.Explain(ctx, err))
		}
		for _, text := range answer.Warnings {
			c.Run.Warn("service %s: %s", spec.Name, text)
		}
		return nil
	}
}

// remember notes what the tasks of a service are to be made of.
func (c *control) remember(ctx context.Context, w *watched) error {
	now, _, err := c.API.ServiceInspectWithRaw(ctx, w.id, swarm.ServiceInspectOptions{})
	if err != nil {
		return fmt.Errorf("look at service %s: %w", w.name, engine.Explain(ctx, err))
	}
	w.template, err = serviceTemplate(now.Spec)
	return err
}

// removeService removes a service. That it is gone is no error.
func (c *control) removeService(ctx context.Context, id, name string) error {
	if err := c.API.ServiceRemove(ctx, id); err != nil && !absent(err) {
		return fmt.Errorf("remove service %s: %w", name, engine.Explain(ctx, err))
	}
	return nil
}

// stopTimeout is how long tasks of removed services have to end.
const stopTimeout = 2 * time.Minute

// waitGone waits until this machine has no container any more of services that were removed: their volumes are free then.
func (c *control) waitGone(ctx context.Context, stack string, removed []string) error {
	if len(removed) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stopTimeout, fmt.Errorf("containers of removed services are still there after %v", stopTimeout))
	defer cancel()
	for {
		list, err := c.ContainerList(ctx, container.ListOptions{All: true, Filters: ofStack(stack)})
		if err != nil {
			return fmt.Errorf("list containers: %w", engine.Explain(ctx, err))
		}
		if !slices.ContainsFunc(list, func(s container.Summary) bool { return slices.Contains(removed, s.Labels[serviceNameLabel]) }) {
			return nil
		}
		if err := pause(ctx, pollInterval); err != nil {
			return err
		}
	}
}

// serviceNameLabel is on the containers of a task, with the name of its service.
const serviceNameLabel = "com.docker.swarm.service.name"

// pause waits, or returns why it may not.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
