package docker

import (
	"fmt"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// judge decides about a look at the container: it is done, or why it never will be.
func (w *wait) judge(c *container.InspectResponse, now time.Time) (done bool, why string) {
	if c == nil {
		return false, "it is gone"
	}
	if w.first == nil {
		w.first = c
		w.checked = c.State.Health != nil && c.State.Health.Status != container.NoHealthcheck
	}
	if why := w.failed(c); why != "" {
		return false, why
	}
	if w.checked {
		w.count(c.State.Health)
	}
	well := !w.checked || c.State.Health.Status == container.Healthy && w.good >= w.streak
	switch {
	case well && w.since.IsZero():
		w.since = now
		return w.stable == 0, ""
	case well:
		return now.Sub(w.since) >= w.stable, ""
	case now.Sub(w.began) >= w.timeout:
		return false, fmt.Sprintf("it is %s after %v, with %d good health checks in a row of %d%s%s",
			c.State.Health.Status, w.timeout, w.good, w.streak, w.rarely(c), lastCheck(c.State.Health))
	}
	w.since = time.Time{}
	return false, ""
}

// failed says why a container is not well any more, "" if it may be.
func (w *wait) failed(c *container.InspectResponse) string {
	s := c.State
	switch {
	case c.RestartCount > w.first.RestartCount, s.Running && s.StartedAt != w.first.State.StartedAt && w.first.State.Running:
		return fmt.Sprintf("it ended and was started again (%d times so far)", c.RestartCount)
	case s.OOMKilled && !s.Running:
		return "it ran out of memory"
	case s.Restarting:
		return fmt.Sprintf("it ended with exit status %d, and is being started again", s.ExitCode)
	case s.Paused:
		return "it is paused"
	case !s.Running && s.Error != "":
		return "it did not start: " + s.Error
	case !s.Running:
		return fmt.Sprintf("it does not run: it is %s, with exit status %d", s.Status, s.ExitCode)
	case w.checked && s.Health != nil && s.Health.Status == container.Unhealthy:
		return "it is unhealthy" + lastCheck(s.Health)
	}
	return ""
}

// rarely says that the health checks that are asked for take longer than the time there is, "" if they do not.
func (w *wait) rarely(c *container.InspectResponse) string {
	if c.Config == nil || c.Config.Healthcheck == nil {
		return ""
	}
	every := c.Config.Healthcheck.Interval
	if every == 0 {
		every = defaultInterval
	}
	if time.Duration(w.streak)*every < w.timeout {
		return ""
	}
	return fmt.Sprintf(" (one is made every %v: give it a longer timeout)", every)
}

// defaultInterval is how often the engine asks a container that says nothing about it.
const defaultInterval = 30 * time.Second

// count adds the health checks that ended since the last look.
func (w *wait) count(h *container.Health) {
	for _, check := range h.Log {
		if !check.End.After(w.seen) {
			continue
		}
		w.seen = check.End
		if check.ExitCode == 0 {
			w.good++
		} else {
			w.good = 0
		}
	}
}

// lastCheck says what the last health check that failed said.
func lastCheck(h *container.Health) string {
	for _, check := range slices.Backward(h.Log) {
		if check.ExitCode != 0 {
			lines := engine.LastLines(check.Output, 1)
			return fmt.Sprintf(": its health check ended with %d: %s", check.ExitCode, lines)
		}
	}
	return ""
}
