package child

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// grace is how long a command that is to end has for it, between SIGTERM and SIGKILL.
const grace = 5 * time.Second

// wait waits for the end of a command that was started, and brings it about when its time is over or
// ctx is cancelled.
func (r *Runner) wait(ctx context.Context, s Spec, cmd *exec.Cmd, p *pipes) (Result, error) {
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	var timeout <-chan time.Time
	if s.Timeout > 0 {
		timer := time.NewTimer(s.Timeout)
		defer timer.Stop()
		timeout = timer.C
	}
	var cause error
	select {
	case err := <-exited:
		return r.finish(ctx, cmd.ProcessState, err, p)
	case <-ctx.Done():
		cause = context.Cause(ctx)
	case <-timeout:
		cause = &TimeoutError{After: s.Timeout}
	}
	// The number of the session stays taken as long as one of its processes is left.
	session := func() []proc.Identity { return proc.InSession(cmd.Process.Pid) }
	if _, err := r.End(context.WithoutCancel(ctx), grace, session(), session); err != nil {
		return Result{}, errors.Join(cause, err)
	}
	<-exited
	p.settle(nil)
	var late *TimeoutError
	if errors.As(cause, &late) {
		late.Last = p.last()
	}
	return Result{}, cause
}

// finish makes the result of a command that ended by itself.
func (r *Runner) finish(ctx context.Context, state *os.ProcessState, err error, p *pipes) (Result, error) {
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		return Result{}, fmt.Errorf("wait for the command: %w", err)
	}
	var result Result
	result.Left = !p.settle(ctx.Done())
	result.Stdout, result.Stderr, result.Cut = p.result()
	status := state.Sys().(syscall.WaitStatus)
	switch {
	case status.Signaled():
		result.Code = 128 + int(status.Signal())
		return result, &ExitError{Code: result.Code, Signal: status.Signal(), Last: p.last()}
	case status.ExitStatus() != 0:
		result.Code = status.ExitStatus()
		return result, &ExitError{Code: result.Code, Last: p.last()}
	}
	return result, nil
}
