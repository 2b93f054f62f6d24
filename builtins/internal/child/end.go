package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

const (
	endPoll   = 10 * time.Millisecond // between looks whether they have ended
	killGrace = 10 * time.Second      // how long the kernel has for a SIGKILL
)

// End ends the processes that find lists. It asks those in ask with SIGTERM; what is left after grace is ended
// with SIGKILL, also what was started meanwhile, as to clean up, and what was to be told by those that were
// asked. It returns when find lists none any more; killed tells whether force was needed. The error is the
// cause of ctx or names the processes that do not end.
func (r *Runner) End(ctx context.Context, grace time.Duration, ask []proc.Identity, find func() []proc.Identity) (killed bool, err error) {
	for _, id := range ask {
		// One that is stopped gets to hear it only when it goes on.
		if err := errors.Join(r.Signal(id, syscall.SIGTERM), r.Signal(id, syscall.SIGCONT)); err != nil {
			return false, err
		}
	}
	left, err := await(ctx, grace, find)
	if err != nil || len(left) == 0 {
		return false, err
	}
	for deadline := time.Now().Add(killGrace); len(left) > 0; {
		if time.Now().After(deadline) {
			return true, fmt.Errorf("processes %v do not end, even with SIGKILL: see what they wait for in /proc/<pid>/stack", left)
		}
		for _, id := range left {
			if err := r.Signal(id, syscall.SIGKILL); err != nil {
				return true, err
			}
		}
		if left, err = await(ctx, endPoll, find); err != nil {
			return true, err
		}
	}
	return true, nil
}

// await waits until find lists nobody, but no longer than limit, and returns who is left.
func await(ctx context.Context, limit time.Duration, find func() []proc.Identity) ([]proc.Identity, error) {
	deadline := time.Now().Add(limit)
	for {
		left := find()
		if len(left) == 0 || time.Now().After(deadline) {
			return left, nil
		}
		select {
		case <-ctx.Done():
			return left, context.Cause(ctx)
		case <-time.After(endPoll):
		}
	}
}

// Signal sends a signal to a process, and to no other that may have got its pid. One that has ended is
// no error.
func (r *Runner) Signal(id proc.Identity, signal syscall.Signal) error {
	// FindProcess takes hold of whoever has the pid now; only then is it looked at who that is.
	p, err := os.FindProcess(id.PID)
	if err != nil {
		return fmt.Errorf("find process %d: %w", id.PID, err)
	}
	defer p.Release()
	if !id.Alive() {
		return nil
	}
	if err := p.Signal(signal); err != nil && !errors.Is(err, os.ErrProcessDone) && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end process %d: %w", id.PID, err)
	}
	return nil
}
