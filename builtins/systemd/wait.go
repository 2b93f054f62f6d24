package systemd

import (
	"context"
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/runtime"
)

type waitArgs struct {
	Unit    string          `arg:"unit" doc:"the unit; without an end it is a service"`
	Timeout runtime.Seconds `arg:"timeout" default:"1m" doc:"how long it may take until it is active, in seconds"`
	Stable  runtime.Seconds `arg:"stable" default:"0s" doc:"how long it must then stay active, without being started again, in seconds"`
}

var waitActiveBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.wait_active", Returns: "as systemd.status", Permission: unitPermission,
	Doc: "Waits until a unit is active and, with stable, sees that it stays so: a service of Type=simple counts as active as soon " +
		"as its process exists, and one that crashes is started again, so only time tells. It is an error, with the last " +
		"lines of its journal, if the unit fails, is not active in time, or is started again meanwhile. In a preview that " +
		"starts the unit, that it gets there is assumed.",
	Example: `systemd.wait_active("infra-core-console", timeout = 30, stable = 10)`,
}, func(c *runtime.Call, a waitArgs) (starlark.Value, error) {
	unit, err := resolve(c, a.Unit)
	if err != nil {
		return nil, err
	}
	s, err := look(c.Context(), c.Reader(), unit)
	if err != nil {
		return nil, err
	}
	if s.Predicted && s.up() {
		c.Assume("%s becomes active, and stays so", unit)
		return statusOf(s), nil
	}
	if s.Predicted || c.Preview() && !s.on() {
		return nil, fmt.Errorf("%s: it is %s by then, and nothing starts it", unit, s.Active)
	}
	if c.Preview() {
		a.Stable.Duration = 0 // nothing has been changed that it could suffer from
	}
	b, err := connect(c.Context())
	if err != nil {
		return nil, err
	}
	defer b.close()
	w := &wait{bus: b, unit: unit, timeout: a.Timeout.Duration, stable: a.Stable.Duration, began: time.Now()}
	last, why, err := w.wait(c.Context())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", unit, err)
	}
	if why == "" {
		return statusOf(seen{state: last}), nil
	}
	run := func(ctx context.Context, s child.Spec) (child.Result, error) { return child.Probe(ctx, c.Reader(), s) }
	return nil, fmt.Errorf("%s: %s%s", unit, why, lastLines(c.Context(), run, unit, w.began))
})

// wait is the wait for a unit.
type wait struct {
	*bus
	unit            string
	timeout, stable time.Duration
	began           time.Time

	since time.Time // from when on it is active; zero: it is not
	as    state     // as it was then
}

// waitPoll is how often a unit is looked at.
const waitPoll = 100 * time.Millisecond

// wait returns the unit as it is in the end, and why it is not active and stable, "" if it is.
func (w *wait) wait(ctx context.Context) (last state, why string, err error) {
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for {
		s, err := w.state(ctx, w.unit)
		if err != nil {
			return s, "", err
		}
		done, why := w.judge(s, time.Now())
		if done || why != "" {
			return s, why, nil
		}
		select {
		case <-ctx.Done():
			return s, "", context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// judge decides about a look at the unit: it is done, or why it never will be.
func (w *wait) judge(s state, now time.Time) (done bool, why string) {
	again := !w.since.IsZero() && (s.Restarts != w.as.Restarts || s.up() && s.Invocation != w.as.Invocation)
	switch {
	case again:
		return false, fmt.Sprintf("it was active for %v, then it was started again (%d times so far)",
			now.Sub(w.since).Round(time.Millisecond), s.Restarts)
	case s.up() && w.since.IsZero():
		w.since, w.as = now, s
		return w.stable == 0, ""
	case s.up():
		return now.Sub(w.since) >= w.stable, ""
	case !w.since.IsZero():
		return false, fmt.Sprintf("it was active for %v, now it is %s (%s): %s",
			now.Sub(w.since).Round(time.Millisecond), s.Active, s.Sub, howItEnded(s))
	case s.missing():
		return false, "there is no such unit"
	case s.Active == "failed":
		return false, "it failed: " + howItEnded(s)
	case s.Active == "inactive" && !s.Queued:
		return false, "it does not run, and nothing starts it; systemd.start does"
	case now.Sub(w.began) >= w.timeout:
		return false, fmt.Sprintf("it is %s (%s) after %v, started again %d times: %s", s.Active, s.Sub, w.timeout, s.Restarts, howItEnded(s))
	}
	return false, ""
}
