package compose

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// restoreState starts, stops or pauses a container, as it was.
func (u *restorer) restoreState(ctx context.Context, is, was container.InspectResponse) error {
	runs := was.State.Running || was.State.Restarting
	if is.State.Running && time.Since(u.starts[is.ID].at) >= settle {
		delete(u.ended, nameOf(is))
	}
	switch {
	case runs && is.State.Paused && !was.State.Paused:
		if err := u.API.ContainerUnpause(ctx, is.ID); err != nil {
			return fmt.Errorf("unpause: %w", engine.Explain(ctx, err))
		}
	case runs && !is.State.Running && !is.State.Restarting:
		if err := u.start(ctx, is); err != nil {
			return err
		}
	case !runs && (is.State.Running || is.State.Restarting):
		if err := u.API.ContainerStop(ctx, is.ID, container.StopOptions{}); err != nil {
			return fmt.Errorf("stop: %w", engine.Explain(ctx, err))
		}
	}
	if was.State.Paused && !is.State.Paused {
		if err := u.API.ContainerPause(ctx, is.ID); err != nil {
			return fmt.Errorf("pause: %w", engine.Explain(ctx, err))
		}
	}
	return nil
}

// starts is how often an undo has started a container, and when last.
type starts struct {
	n  int
	at time.Time
}

// start starts a container that ran. One that this undo has started already, and that has ended since, may have missed what it
// needs, which comes up beside it: it is started again, after a while that grows. Not one that has done its work.
func (u *restorer) start(ctx context.Context, is container.InspectResponse) error {
	before := u.starts[is.ID]
	if before.n > 0 {
		if is.State.ExitCode == 0 {
			delete(u.ended, nameOf(is))
			return nil
		}
		u.ended[nameOf(is)] = exited(is.State)
		if time.Since(before.at) < settle/2<<before.n {
			return nil
		}
	}
	if err := u.API.ContainerStart(ctx, is.ID, container.StartOptions{}); err != nil {
		return fmt.Errorf("start: %w", engine.Explain(ctx, err))
	}
	u.starts[is.ID] = starts{before.n + 1, time.Now()}
	return nil
}

// unsettled reports whether a container that was started may still end, or has ended.
func (u *restorer) unsettled() bool {
	for _, s := range u.starts {
		if time.Since(s.at) < settle {
			return true
		}
	}
	return len(u.ended) > 0
}

// stableTimeout is how long an undo starts containers again that end. Tests are less patient.
var stableTimeout = 30 * time.Second

// unstable returns an error if containers have not stayed for so long.
func (u *restorer) unstable(tried time.Duration) error {
	if len(u.ended) == 0 || tried < stableTimeout {
		return nil
	}
	return &unstableError{u.ended}
}

// unstableError is that containers are not as they were: they ran, and do not stay, by name.
type unstableError struct{ ended map[string]string }

func (e *unstableError) Error() string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(e.ended)) {
		all = append(all, fmt.Sprintf("container %s ran before; started again, it %s", name, e.ended[name]))
	}
	return strings.Join(all, "; ")
}
