package compose

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// resolvedMode is that of the resolved project: there may be secrets in it.
const resolvedMode fs.FileMode = 0o600

// control changes a project.
type control struct {
	*engine.Writer
	run   *child.Runner
	files *filesys.Writer
}

func newControl(ctx context.Context, w *runtime.Writer) (*control, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return nil, err
	}
	return &control{x, child.NewRunner(w), filesys.Writable(w)}, nil
}

// write writes the resolved project.
func (c *control) write(path string, text []byte) error {
	return c.files.WriteFile(path, text, resolvedMode, filesys.Keep, filesys.Keep)
}

// compose calls Compose and shows what it prints.
func (c *control) compose(ctx context.Context, s child.Spec) error {
	s.Line = func(stream, line string) { c.Run.Output(stream, line) }
	_, err := c.run.Run(ctx, s)
	return err
}

// failedError says which containers did not come up, with what they printed last.
type failedError struct {
	failed []failure
	last   map[string][]string // by id
	cause  error
}

func (e *failedError) Error() string {
	var text strings.Builder
	for i, f := range e.failed {
		if i > 0 {
			text.WriteString("\n")
		}
		text.WriteString(f.String())
		if f.ContainerJSONBase == nil {
			continue
		}
		if lines := e.last[f.ID]; len(lines) > 0 {
			text.WriteString("; it printed\n  " + strings.Join(lines, "\n  "))
		} else {
			text.WriteString("; it printed nothing")
		}
	}
	if e.cause != nil {
		fmt.Fprintf(&text, "\n%v", e.cause)
	}
	return text.String()
}

func (e *failedError) Unwrap() error { return e.cause }

// bringUp has Compose bring up the services of a plan, and watches their containers meanwhile.
func (c *control) bringUp(ctx context.Context, u *up) error {
	plain, force := u.plan.services()
	composing, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	done := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		defer close(done)
		result <- c.callUp(composing, u, plain, force)
	}()
	if !u.wait { // Compose itself may wait, for what services need
		late := fmt.Errorf("%s is not done after %v; a larger timeout gives it longer", u.cli, u.timeout)
		defer time.AfterFunc(u.timeout, func() { stop(late) }).Stop()
		return <-result
	}
	watching, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	m := newMonitor(u.project, u.patience)
	for _, r := range u.running {
		m.before[r.ID] = r.InspectResponse
	}
	m.ignore = u.plan.touched()
	failedCall := make(chan error, 1)
	go func() {
		err := <-result
		if err != nil {
			cancel() // what is not ready now will not be
		}
		failedCall <- err
	}()
	failed, err := m.watch(watching, c.Client, append(plain, force...), done)
	stop(errors.New("a container has failed"))
	called := <-failedCall
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, errLate) && watching.Err() == context.DeadlineExceeded:
		err = fmt.Errorf("it is not ready after %v; a larger timeout gives it longer", u.timeout)
	case called != nil && (errors.Is(err, errLate) || err == nil && len(failed) == 0):
		// What is not ready yet is the consequence; a container that has failed is why.
		err = fmt.Errorf("%s: %w", u.cli, called)
		failed = m.failedNow(ctx, c.Client, append(plain, force...))
	}
	if len(failed) == 0 {
		return err
	}
	return &failedError{failed, c.logs(context.WithoutCancel(ctx), failed), err}
}

// callUp has Compose bring up services, in two rounds.
func (c *control) callUp(ctx context.Context, u *up, plain, force []string) error {
	how := diverged
	if !u.plan.remakes() {
		how = never
	}
	for _, round := range []struct {
		services []string
		recreate recreation
	}{{plain, how}, {force, always}} {
		if len(round.services) == 0 {
			continue
		}
		spec := u.cli.up(u.project.Name, u.resolved, u.project.WorkingDir, round.services, round.recreate)
		maps.Copy(spec.Env, u.canonical.env)
		if err := c.compose(ctx, spec); err != nil {
			return err
		}
		if err := failpoint.Hit("compose.up.called"); err != nil {
			return err
		}
	}
	return nil
}

const (
	shownLines = 200     // how much of a failed container's log is shown
	shownBytes = 1 << 20 // at the most
	logTimeout = 10 * time.Second
	lastLines  = 10 // how much of it stands in the error
)

// logs shows what failed containers have printed last, so that it is in the run's log, and returns the last lines.
func (c *control) logs(ctx context.Context, failed []failure) map[string][]string {
	ctx, cancel := context.WithTimeout(ctx, logTimeout)
	defer cancel()
	last := map[string][]string{}
	for _, f := range failed {
		if f.ContainerJSONBase == nil {
			continue // there is none
		}
		text, err := c.Logs(ctx, &f.InspectResponse, container.LogsOptions{Tail: strconv.Itoa(shownLines)}, shownBytes)
		if err != nil {
			c.Run.Warn("container %s: %v", f.name(), err)
			continue
		}
		lines := engine.LastLines(text, shownLines)
		for _, line := range lines {
			c.Run.Output("stderr", f.name()+" | "+line)
		}
		last[f.ID] = lines[max(0, len(lines)-lastLines):]
	}
	return last
}

// takeAway stops a container as it wants to be stopped, and removes it. Its volumes stay. That it is gone is no error.
func takeAway(ctx context.Context, x *engine.Writer, id, name string) error {
	err := x.API.ContainerStop(ctx, id, container.StopOptions{})
	if err != nil && !absent(err) {
		return fmt.Errorf("stop container %s: %w", name, engine.Explain(ctx, err))
	}
	err = x.API.ContainerRemove(ctx, id, container.RemoveOptions{Force: true})
	if err != nil && !absent(err) {
		return fmt.Errorf("remove container %s: %w", name, engine.Explain(ctx, err))
	}
	return nil
}
