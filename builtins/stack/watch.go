package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime/events"
)

// pollInterval is how often the swarm is asked: it tells of an update's progress only when it is asked.
const pollInterval = 300 * time.Millisecond

// watched is a service that is to come up.
type watched struct {
	name     string
	id       string
	updated  bool            // it was there
	known    map[string]bool // ids of the tasks that it had
	enough   int             // how many tasks are enough, 0 for all
	template string          // what its tasks are to be made of; see templateOf

	since   time.Time // when all of its tasks were seen to run
	running string    // which those were
	said    string    // what was reported last
}

// watch waits for services.
type watch struct {
	*control
	stack    string
	services []*watched
	steady   time.Duration
	restarts int
	undo     bool // only the tasks count: it was the swarm that was told to go back

	down map[string]bool // machines, by id, of whose tasks nobody knows
	node string          // the id of this machine
	here map[string]bool // ids of the tasks whose containers run on it
}

// serviceTemplate is what the tasks of a service are made of, in the form of templateOf.
func serviceTemplate(spec swarm.ServiceSpec) (string, error) {
	t := spec.TaskTemplate
	if len(t.Networks) == 0 {
		t.Networks = spec.Networks //lint:ignore SA1019 older services have them there
	}
	return templateOf(t)
}

// templateOf is what a task is made of, in a form that can be compared.
func templateOf(t swarm.TaskSpec) (string, error) {
	t.Runtime = "" // only services say it
	text, err := json.Marshal(t)
	if err != nil {
		return "", fmt.Errorf("compare tasks: %w", err)
	}
	return string(text), nil
}

// until returns when all services are as wanted, or one has failed, or the time is over.
func (w *watch) until(ctx context.Context, timeout time.Duration) error {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var waiting map[string]string
	for {
		failed, still, err := w.look(limited)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case limited.Err() != nil:
			return w.late(ctx, waiting, timeout)
		case err != nil:
			return err
		case failed != nil:
			return errors.New(w.explain(ctx, failed))
		case len(still) == 0:
			return nil
		}
		waiting = still
		if err := pause(limited, pollInterval); err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

// look asks the swarm about all services: what has failed, and what is waited for, by name.
func (w *watch) look(ctx context.Context) (*failure, map[string]string, error) {
	now, err := services(ctx, w.Client, w.stack)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(w.lookAtNodes(ctx), w.lookHere(ctx)); err != nil {
		return nil, nil, err
	}
	waiting := map[string]string{}
	done := 0
	for _, s := range w.services {
		i := slices.IndexFunc(now, func(n swarm.Service) bool { return n.ID == s.id })
		if i < 0 {
			return &failure{service: s, what: "is gone: somebody has removed it"}, nil, nil
		}
		tasks, err := tasksOf(ctx, w.Client, s.id)
		if err != nil {
			return nil, nil, err
		}
		v, err := w.judge(s, now[i], tasks, time.Now())
		if err != nil {
			return nil, nil, err
		}
		if v.bad != "" {
			if len(v.tasks) == 0 {
				v.tasks = s.suspects(tasks)
			}
			return &failure{s, v.bad, v.tasks}, nil, nil
		}
		w.report(s, v)
		if v.wait != "" {
			waiting[s.name] = v.wait
		} else {
			done++
		}
	}
	w.Run.Progress(events.Bar{What: w.stack, Current: int64(done), Total: int64(len(w.services)), Unit: "services", Done: len(waiting) == 0})
	return nil, waiting, nil
}

// lookAtNodes notes which machines are down.
func (w *watch) lookAtNodes(ctx context.Context) error {
	list, err := w.NodeList(ctx, swarm.NodeListOptions{})
	if err != nil {
		return fmt.Errorf("list the swarm's machines: %w", engine.Explain(ctx, err))
	}
	w.down = map[string]bool{}
	for _, n := range list {
		w.down[n.ID] = n.Status.State == swarm.NodeStateDown
	}
	return nil
}

// taskLabel is on the container of a task, with the task's id.
const taskLabel = "com.docker.swarm.task.id"

// lookHere notes which tasks run on this machine. When its engine has just started anew, the swarm still takes those to run
// that have ended with it.
func (w *watch) lookHere(ctx context.Context) error {
	if w.node == "" {
		info, err := w.Info(ctx)
		if err != nil {
			return fmt.Errorf("ask the engine about its swarm: %w", engine.Explain(ctx, err))
		}
		w.node = info.Swarm.NodeID
	}
	list, err := w.ContainerList(ctx, container.ListOptions{Filters: filters.NewArgs(filters.Arg("label", taskLabel))})
	if err != nil {
		return fmt.Errorf("list containers: %w", engine.Explain(ctx, err))
	}
	w.here = map[string]bool{}
	for _, c := range list {
		w.here[c.Labels[taskLabel]] = true
	}
	return nil
}

// report says what has changed about a service.
func (w *watch) report(s *watched, v verdict) {
	text := v.wait
	if text == "" {
		text = v.progress
	}
	if text != s.said {
		w.Run.Output("stdout", short(w.stack, s.name)+": "+text)
		s.said = text
	}
}

// tasksOf lists the tasks of a service, old ones too, the newest first.
func tasksOf(ctx context.Context, e *engine.Client, service string) ([]swarm.Task, error) {
	list, err := e.TaskList(ctx, swarm.TaskListOptions{Filters: filters.NewArgs(filters.Arg("service", service))})
	if err != nil {
		return nil, fmt.Errorf("list tasks: %w", engine.Explain(ctx, err))
	}
	slices.SortFunc(list, func(a, b swarm.Task) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return list, nil
}

// waitEnded waits until no task of services, names by id, runs any more. A machine that is down is not waited for.
func (c *control) waitEnded(ctx context.Context, services map[string]string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("tasks that are to end still run after %v", timeout))
	defer cancel()
	watch := &watch{control: c}
	for id, name := range services {
		for {
			if err := watch.lookAtNodes(ctx); err != nil {
				return err
			}
			tasks, err := tasksOf(ctx, c.Client, id)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(tasks, watch.runs) {
				break
			}
			if err := pause(ctx, pollInterval); err != nil {
				return fmt.Errorf("service %s: %w", name, err)
			}
		}
	}
	return nil
}

// runs reports whether a task runs on a machine, or may yet, as far as anybody knows.
func (w *watch) runs(t swarm.Task) bool {
	if down, known := w.down[t.NodeID]; down || !known {
		return false
	}
	switch t.Status.State {
	case swarm.TaskStateComplete, swarm.TaskStateShutdown, swarm.TaskStateFailed, swarm.TaskStateRejected, swarm.TaskStateRemove, swarm.TaskStateOrphaned:
		return false
	}
	return true
}
