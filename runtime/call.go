package runtime

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Call is one call of a builtin: what its function may use.
type Call struct {
	Thread  *starlark.Thread
	Builtin *Builtin

	task *task
}

// enter is what Starlark calls for every builtin.
func (b *Builtin) enter(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	c := &Call{Thread: th, Builtin: b, task: taskOf(th)}
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, recovered(b.Name, p)
			c.logPanic(err, p)
		}
	}()
	if c.task.run == nil && !b.Pure {
		return nil, &loadingError{b.Name}
	}
	if err := c.task.ctx.Err(); err != nil {
		return nil, context.Cause(c.task.ctx)
	}
	if !b.passesOn {
		if err := refuseUnknowns(args, kwargs); err != nil {
			return nil, err
		}
	}
	v, err = b.call(c, args, kwargs)
	switch {
	case err != nil:
		return nil, named(b.Name, err)
	case v == nil:
		return starlark.None, nil
	}
	if c.task.run.preview() {
		bindUnknowns(v, c.task.run)
	}
	return v, nil
}

// logPanic writes to the log where in our own code a mistake happened.
func (c *Call) logPanic(err error, p any) {
	var unknown *UnknownError
	if c.task.run == nil || errors.As(err, &unknown) {
		return
	}
	c.task.emit(events.Event{Kind: events.Log, Level: "debug", Text: fmt.Sprintf("%v\n%s", p, debug.Stack())})
}

// named puts the builtin's name before an error that lacks it.
func named(name string, err error) error {
	var unknown *UnknownError
	var eval *starlark.EvalError
	switch {
	case errors.As(err, &unknown), isDenied(err), isVerdict(err), strings.HasPrefix(err.Error(), name+":"):
		return err
	case errors.As(err, &eval):
		return err // a function of the recipe failed, and says where
	}
	return fmt.Errorf("%s: %w", name, err)
}

// loadingError is a call that reaches the machine while a module loads, or from PERMISSIONS.
type loadingError struct{ name string }

func (e *loadingError) Error() string {
	return e.name + ": cannot be called while a recipe is loaded"
}

func (e *loadingError) Hint() string {
	return "loading a recipe touches nothing, so that its help can be shown: move the call into a function that main calls"
}

// Context is cancelled when the run is to stop.
func (c *Call) Context() context.Context { return c.task.ctx }

// Reader returns what a builtin that only looks may use.
func (c *Call) Reader() *Reader { return &Reader{c.task.snapshot()} }

// Preview reports whether this is a preview. A builtin needs it only where time or the outside world
// is waited for: what a change does in a preview is the door's business.
func (c *Call) Preview() bool { return c.task.run.preview() }

// Acts fails if the recipe declared that it only looks. A builtin asks before it does something that a door cannot see,
// since it changes nothing of this machine by itself: to send what another program acts upon.
func (c *Call) Acts() error {
	if c.task.run.mode == events.ModeLook {
		return &lookError{c.Builtin.Name}
	}
	return nil
}

// Need fails unless the recipe declared what is about to be read and the policy allows it. Changes
// are checked by the door.
func (c *Call) Need(needs ...policy.Need) error { return c.task.run.need(needs) }

// Emit sends an event, dated with the running step.
func (c *Call) Emit(e events.Event) { c.task.emit(e) }

// Assume records that a preview takes something for granted. The same assumption is told once.
func (c *Call) Assume(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if _, again := c.task.run.assumed.LoadOrStore(text, true); again {
		return
	}
	c.task.run.counts.assumed.Add(1)
	c.task.emit(events.Event{Kind: events.Assumed, Text: text, Position: c.Position()})
}

// AddSecret makes a value one that appears in no output from here on.
func (c *Call) AddSecret(value string) error { return c.task.run.secrets.Add(value) }

// UI returns whom to ask; nil where nobody can be asked.
func (c *Call) UI() UI { return c.task.run.ui }

// RunID returns the name of the run, "preview" in a preview, "look" where the recipe only looks.
func (c *Call) RunID() string { return c.task.run.id }

// BaseDir returns the directory that relative paths are relative to: the working directory of
// infrarun when it was started.
func (c *Call) BaseDir() string { return c.task.run.base }

// Do hands a change to the door. It is the only way to change anything.
func (c *Call) Do(ch Change) (starlark.Value, error) { return c.task.do(c, ch) }

// Position returns where in the recipe the call stands: the innermost place that is not in the
// standard library.
func (c *Call) Position() string {
	var last string
	for i := range c.Thread.CallStackDepth() {
		pos := c.Thread.CallFrame(i).Pos
		if pos.Filename() == "<builtin>" || pos.Line == 0 {
			continue
		}
		last = pos.String()
		if !strings.HasPrefix(pos.Filename(), stdlibPrefix) {
			break
		}
	}
	return last
}
