package docker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type waitArgs struct {
	Name    string          `arg:"name" doc:"the container's name"`
	Timeout runtime.Seconds `arg:"timeout" default:"2m" doc:"how long it may take until it is healthy, in seconds"`
	Streak  int             `arg:"streak" default:"2" doc:"how many health checks in a row must be good: one alone proves little"`
	Stable  runtime.Seconds `arg:"stable" default:"5s" doc:"how long a container without a health check must run, and one with a check must stay healthy after that, in seconds; without a check that is all there is to go by"`
}

var waitHealthyBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.wait_healthy", Permission: containerPermission,
	Returns: "struct(name, healthcheck, seconds): whether it has a health check, so that healthy means something, and how long it took",
	Doc: "Waits until a container is healthy, and stays so. It is an error, with its last lines, as soon as it ends, is started " +
		"again, runs out of memory, or turns unhealthy: a crash is told by the engine at once, and one that crashes again and " +
		"again counts as failed though it is healthy in between. It is one, too, if it takes too long. In a preview that makes " +
		"the container it is assumed.",
	Example: `docker.wait_healthy("console", timeout = 60, streak = 3)`,
}, func(c *runtime.Call, a waitArgs) (starlark.Value, error) {
	if err := c.Need(needContainer(a.Name)); err != nil {
		return nil, err
	}
	if a.Streak < 1 {
		return nil, fmt.Errorf("streak is %d, want 1 or more", a.Streak)
	}
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		seen, err := lookContainer(ctx, e, c.Reader(), a.Name)
		switch {
		case err != nil:
			return nil, err
		case !seen.there:
			return nil, noContainer(a.Name)
		case seen.predicted != nil && !seen.running:
			return nil, fmt.Errorf("%s does not run by then, and nothing starts it", a.Name)
		case seen.predicted != nil:
			c.Assume("container %s becomes healthy, and stays so", a.Name)
			return partial("how docker.wait_healthy went", []string{"name", "healthcheck", "seconds"},
				starlark.StringDict{"name": starlark.String(a.Name)}), nil
		case c.Preview():
			a.Streak, a.Stable.Duration = 1, 0 // nothing has been changed that it could suffer from
		}
		w := &wait{streak: a.Streak, stable: a.Stable.Duration, timeout: a.Timeout.Duration, began: time.Now()}
		why, err := w.wait(ctx, e, seen.real.ID)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		if why != "" {
			return nil, fmt.Errorf("%s: %s%s", a.Name, why, endOfLogs(ctx, e, seen.real.ID))
		}
		return structOf(starlark.StringDict{
			"name": starlark.String(a.Name), "healthcheck": starlark.Bool(w.checked),
			"seconds": starlark.Float(time.Since(w.began).Seconds()),
		}), nil
	})
})

// endOfLogs is what an error about a container ends with.
func endOfLogs(ctx context.Context, e *engine.Client, id string) string {
	text, err := containerLogs(ctx, e, id, container.LogsOptions{Tail: "20"})
	if err != nil || text == "" {
		return ""
	}
	out := "; its last lines:"
	for _, line := range engine.LastLines(text, shownLines) {
		out += "\n  " + line
	}
	return out
}

// wait is the wait for a container.
type wait struct {
	streak          int
	stable, timeout time.Duration
	began           time.Time

	first   *container.InspectResponse // as it was at the first look
	checked bool                       // it has a health check
	good    int                        // checks in a row that were good
	seen    time.Time                  // when the last of them ended
	since   time.Time                  // from when on it is healthy
}

// waitPoll is how often a container is looked at. What ends it is told by an event, at once.
const waitPoll = 200 * time.Millisecond

// wait returns why the container is not healthy, "" if it is.
func (w *wait) wait(ctx context.Context, e *engine.Client, id string) (why string, err error) {
	listening, stop := context.WithCancel(ctx)
	defer stop()
	// From the start of the wait on, so that nothing falls between the first look and this.
	messages, failures := e.Events(listening, events.ListOptions{
		Since: w.began.Format(time.RFC3339Nano), Filters: filters.NewArgs(filters.Arg("type", "container"), filters.Arg("container", id)),
	})
	tick := time.NewTicker(waitPoll)
	defer tick.Stop()
	for {
		c, err := e.Container(ctx, id)
		if err != nil {
			return "", err
		}
		done, why := w.judge(c, time.Now())
		if why != "" {
			return w.told(ctx, messages, why), nil
		}
		if done {
			return "", nil
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-tick.C:
		case m := <-messages:
			if why := w.hear(m); why != "" {
				return why, nil
			}
		case err := <-failures:
			return "", fmt.Errorf("listen for what happens to it: %w", engine.Explain(ctx, orLost(err)))
		}
	}
}

// toldWithin is how long an event may take that says more of what a look has found.
const toldWithin = 300 * time.Millisecond

// told returns what the engine tells of why a container is not well, or what was found.
func (w *wait) told(ctx context.Context, messages <-chan events.Message, found string) string {
	late := time.NewTimer(toldWithin)
	defer late.Stop()
	for {
		select {
		case m := <-messages:
			if why := w.hear(m); why != "" {
				return why
			}
		case <-late.C:
			return found
		case <-ctx.Done():
			return found
		}
	}
}

func orLost(err error) error {
	if err == nil {
		return errors.New("the engine ended the connection")
	}
	return err
}

// hear says what an event tells of a container that is not well, "" if it does not.
func (w *wait) hear(m events.Message) string {
	after := time.Unix(0, m.TimeNano).Sub(w.began).Round(time.Millisecond)
	if after < 0 {
		return "" // it has not to do with what is waited for
	}
	switch m.Action {
	case events.ActionDie:
		return fmt.Sprintf("it ended with exit status %s, %v after the wait began", m.Actor.Attributes["exitCode"], after)
	case events.ActionOOM:
		return fmt.Sprintf("it ran out of memory, %v after the wait began", after)
	case events.ActionHealthStatusUnhealthy:
		return "it is unhealthy: its health check has failed too often"
	}
	return ""
}
