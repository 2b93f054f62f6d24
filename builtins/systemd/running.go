package systemd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// running is the change that makes a unit run, or not.
type running struct {
	verb    string
	unit    string
	timeout time.Duration
	ports   []int
	unless  string

	found      seen
	pulled     []string // what is started with it
	dependents []string // what is stopped with it
}

// Describe implements [runtime.Change].
func (c *running) Describe() runtime.Description {
	d := runtime.Description{Call: "systemd." + c.verb, Target: c.unit, Needs: []policy.Need{need(c.unit)}}
	switch c.verb {
	case start:
		d.Undo, d.UndoNote = runtime.Exact, "stops it"
	case stop:
		d.Undo, d.UndoNote = runtime.Compensating, "starts it again"
	case restart:
		d.Undo, d.UndoNote = runtime.Compensating, "has it run as before, or stops it"
	case reload:
		d.Undo = runtime.NoUndo
	}
	return d
}

// Probe implements [runtime.Change].
func (c *running) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Needed: true, Value: changed(c.unit, false)}
	var err error
	if c.found, err = look(ctx, r, c.unit); err != nil {
		return found, err
	}
	s := c.found
	if s.missing() && !s.on() && c.verb != stop {
		if !r.Preview() {
			return found, notThere(c.unit)
		}
		found.Summary, found.Assumed = c.verb+" it", assumedThere(c.unit)
		return found, nil
	}
	if c.verb != stop {
		if err := startable(s); err != nil {
			return found, err
		}
	}
	if found.Summary, found.Needed, err = c.todo(s); err != nil || !found.Needed {
		return found, err
	}
	return found, c.lookAround(ctx, r)
}

// startable says why a unit cannot be started.
func startable(s seen) error {
	switch s.Load {
	case "loaded", "not-found":
		return nil
	case "masked":
		return errMasked
	}
	why := s.LoadError
	if why == "" {
		why = s.Load
	}
	return fmt.Errorf("systemd does not accept its file, %s: %s", s.Fragment, why)
}

// todo says what is to be done, or why nothing is.
func (c *running) todo(s seen) (summary string, needed bool, err error) {
	switch {
	case c.verb == start && s.up():
		return "already runs", false, nil
	case c.verb == start || c.verb == restart && !s.on():
		return "start it, " + describe(s), true, nil
	case c.verb == stop && s.missing() && !s.on():
		return "there is no such unit", false, nil
	case c.verb == stop && !s.on() && s.Active != "deactivating":
		return "does not run", false, nil
	case c.verb == restart && c.unless != "" && !s.Predicted && s.up() && s.Invocation == c.unless:
		return "runs as before", false, nil
	case c.verb == reload && !s.up():
		return "", false, errors.New("it does not run, so there is nothing to reload: systemd.start it")
	case c.verb == reload:
		return "have it read its configuration anew", true, nil
	}
	return c.verb + " it, " + describe(s), true, nil
}

// describe says in words how a unit is.
func describe(s seen) string {
	text := "it is " + s.Active
	if s.Active == "failed" && s.Result != "" && s.Result != "success" {
		text += " (" + s.Result + ")"
	}
	if s.PID != 0 && !s.Predicted {
		text += fmt.Sprintf(" as process %d", s.PID)
	}
	return text
}

// lookAround finds the units that are started or stopped along with this one.
func (c *running) lookAround(ctx context.Context, r *runtime.Reader) error {
	b, err := connect(ctx)
	if err != nil {
		return err
	}
	defer b.close()
	ask := asking(b.state)
	if r.Preview() {
		ask = func(ctx context.Context, unit string) (state, error) {
			s, err := b.state(ctx, unit)
			if err != nil {
				return s, err
			}
			will, err := foresee(r, s)
			return will.state, err
		}
	}
	if c.verb == start || c.verb == restart {
		if c.pulled, err = ask.pulled(ctx, c.unit); err != nil {
			return err
		}
	}
	if c.verb == stop || c.verb == restart {
		c.dependents, err = ask.dependents(ctx, c.unit)
	}
	return err
}

// Undo implements [runtime.Change].
func (c *running) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	if c.verb == reload {
		return nil, nil
	}
	args := runUndo{
		Unit: c.unit, Ran: c.found.on(), Failed: c.found.Active == "failed", Timeout: c.timeout,
		First: overlayOf(k.World()).comesFirst(c.unit), Pulled: c.pulled, Dependents: c.dependents,
		Failing: c.found.failing(),
	}
	note := "stops it"
	if args.Ran && args.First {
		note = "starts it"
	} else if args.Ran {
		note = "leaves that to the first change of it"
	}
	return &runtime.Undo{Kind: runKind, Args: args, Note: note}, nil
}

// Apply implements [runtime.Change].
func (c *running) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newWriter(ctx, w)
	if err != nil {
		return runtime.Applied{}, err
	}
	defer x.close()
	if c.found.Stale && c.verb != stop {
		if err := x.reload(ctx); err != nil {
			return runtime.Applied{}, err
		}
	}
	if c.found.Active == "failed" {
		x.resetFailed(ctx, c.unit) // else it may have failed too often to be started
	}
	if err := x.run(ctx, c.verb, c.unit, c.timeout); err != nil {
		return runtime.Applied{}, err
	}
	after, err := leftOf(ctx, x.bus, c.unit)
	return runtime.Applied{Value: changed(c.unit, true), After: after}, err
}

// Predict implements [runtime.Change].
func (c *running) Predict(w *runtime.World) (starlark.Value, error) {
	if c.verb != reload {
		overlayOf(w).predictRunning(w, c.unit, c.verb != stop, c.ports)
		for _, unit := range c.pulled {
			overlayOf(w).predictRunning(w, unit, true, nil)
		}
		if c.verb == stop {
			for _, unit := range c.dependents {
				overlayOf(w).predictRunning(w, unit, false, nil)
			}
		}
	}
	return changed(c.unit, true), nil
}
