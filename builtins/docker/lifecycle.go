package docker

import (
	"context"
	"errors"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// The verbs that make a container run, or not.
const (
	startVerb   = "start"
	stopVerb    = "stop"
	restartVerb = "restart"
	removeVerb  = "remove"
)

type startArgs struct {
	Name string `arg:"name" doc:"the container's name"`
}

type stopArgs struct {
	Name    string          `arg:"name" doc:"the container's name"`
	Timeout runtime.Seconds `arg:"timeout" default:"" doc:"how long it has to end after SIGTERM, in whole seconds, before it is ended by force; by default as it was made"`
}

var startBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.start", Returns: changedDoc, Undo: runtime.Compensating, Permission: containerPermission,
	Doc:     "Starts a container that has stopped; it is an error if there is none. Undo stops it.",
	Example: `docker.start("console")`,
}, func(c *runtime.Call, a startArgs) (starlark.Value, error) {
	return c.Do(&lifecycle{verb: startVerb, name: a.Name})
})

var stopBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.stop", Returns: changedDoc, Undo: runtime.Compensating, Permission: containerPermission,
	Doc: "Stops a container that runs. Undo starts it again, or an equal one, as docker.run does, if somebody has removed what " +
		"does not run meanwhile.",
	Example: `docker.stop("console", timeout = 30)`,
}, func(c *runtime.Call, a stopArgs) (starlark.Value, error) {
	return c.Do(&lifecycle{verb: stopVerb, name: a.Name, timeout: int(a.Timeout.Seconds())})
})

var restartBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.restart", Returns: changedDoc, Undo: runtime.Compensating, Permission: containerPermission,
	Doc: "Stops a container and starts it again, or only starts it if it does not run. It is always done. Undo has it run if it " +
		"did before, and stops it if not.",
	Example: `docker.restart("console")`,
}, func(c *runtime.Call, a stopArgs) (starlark.Value, error) {
	return c.Do(&lifecycle{verb: restartVerb, name: a.Name, timeout: int(a.Timeout.Seconds())})
})

var removeBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.remove", Returns: changedDoc, Undo: runtime.Compensating, Permission: containerPermission,
	Doc: "Stops a container and sets it aside under another name, where it stays for undo as long as the run can be undone; " +
		"docker.prune removes it then. Its volumes stay, but those without a name go with it. Nothing is to do if there is none " +
		"of that name.",
	Example: `docker.remove("old-console")`,
}, func(c *runtime.Call, a stopArgs) (starlark.Value, error) {
	return c.Do(&lifecycle{verb: removeVerb, name: a.Name, timeout: int(a.Timeout.Seconds())})
})

// lifecycle is the change that makes a container run, or not.
type lifecycle struct {
	verb, name string
	timeout    int // seconds; 0: as the container says

	found seenContainer
	token string
	kept  *keptContainer
}

// Describe implements [runtime.Change].
func (l *lifecycle) Describe() runtime.Description {
	d := runtime.Description{
		Call: "docker." + l.verb, Target: l.name, Undo: runtime.Compensating, Needs: []policy.Need{needContainer(l.name)},
	}
	switch l.verb {
	case startVerb:
		d.UndoNote = "stops it"
	case restartVerb:
		d.UndoNote = "has it run as before, or stops it"
	default:
		d.UndoNote = "starts it again"
	}
	return d
}

// Probe implements [runtime.Change].
func (l *lifecycle) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Value: changed(l.name, false)}
		var err error
		if l.found, err = lookContainer(ctx, e, r, l.name); err != nil {
			return found, err
		}
		s := l.found
		on := s.running || s.predicted == nil && s.real != nil && s.real.State.Running // also one that is restarting
		switch {
		case !s.there && (l.verb == removeVerb || l.verb == stopVerb):
			found.Needed, found.Summary = false, "there is no such container"
		case !s.there:
			return found, noContainer(l.name)
		case l.verb == startVerb && s.real != nil && s.predicted == nil && s.real.State.Paused:
			return found, errors.New("it is paused; docker unpause lets it go on")
		case l.verb == startVerb && on:
			found.Needed, found.Summary = false, "already runs"
		case l.verb == stopVerb && !on:
			found.Needed, found.Summary = false, "does not run"
		default:
			found.Summary = l.verb + " it, it is " + s.status()
		}
		return found, nil
	})
}

// Undo implements [runtime.Change].
func (l *lifecycle) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	c := l.found.real
	if c == nil {
		return nil, noContainer(l.name)
	}
	var err error
	stops := l.verb == removeVerb || l.verb == stopVerb // one that is restarted is not away for long
	l.kept, err = keepContainer(ctx, k, c, stops)
	if err != nil {
		return nil, err
	}
	note := "starts it"
	if !l.kept.Running {
		note = "leaves it stopped"
	}
	l.token = newToken()
	return &runtime.Undo{Kind: containerKind, Args: containerUndo{Name: l.name, Before: l.kept}, Note: note}, nil
}

// Apply implements [runtime.Change].
func (l *lifecycle) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if l.timeout > 0 {
		l.kept.Stop = l.timeout
	}
	id := l.kept.ID
	switch l.verb {
	case startVerb:
		err = x.start(ctx, id)
	case stopVerb:
		if err = x.Hold(ctx, *l.kept.Image); err == nil {
			err = x.stop(ctx, l.found.real, l.kept.Stop)
		}
	case restartVerb:
		err = engine.Explain(ctx, x.API.ContainerRestart(ctx, id, container.StopOptions{Timeout: &l.kept.Stop}))
	case removeVerb:
		l.kept.Aside = asideName(w.Sign(), l.token, l.name)
		err = x.setAside(ctx, l.kept)
		return runtime.Applied{Value: changed(l.name, true), After: containerLeft{}}, err
	}
	if err != nil {
		return runtime.Applied{}, err
	}
	done := runtime.Applied{Value: changed(l.name, true)}
	if c, err := x.Container(ctx, id); err != nil {
		return done, err
	} else if c != nil {
		done.After = containerLeft{c.ID, c.State.Running}
	}
	return done, nil
}

// Predict implements [runtime.Change].
func (l *lifecycle) Predict(w *runtime.World) (starlark.Value, error) {
	p := predictedContainer{there: l.verb != removeVerb, running: l.verb == startVerb || l.verb == restartVerb}
	if c := l.found.real; c != nil {
		p.image, p.labels, p.ports = c.Config.Image, withoutOwn(c.Config.Labels), portsOf(c)
		p.aspects = parseAspects(c.Config.Labels[definitionLabel])
		engine.PredictedStates(w).Set(c.ID, p.running)
	}
	if old := l.found.predicted; old != nil {
		there, running := p.there, p.running
		p = *old
		p.there, p.running = there, running
	}
	predictContainer(w, l.name, p, portsOf(l.found.real))
	return changed(l.name, true), nil
}
