package runtime

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// task is what the builtins on a thread work for: a run and the step it is in, or, while modules
// load, no run at all.
type task struct {
	ctx  context.Context
	run  *Run         // nil while a module loads
	step *events.Step // nil before the first
	gate *gate        // holds events back so that parallel branches report in order; nil: none
	load func(*starlark.Thread, string) (starlark.StringDict, error)

	budget *budget     // of its thread, and of those beside it
	nested int         // how many calls of parallel its thread is in
	spent  atomic.Bool // the budget is used up
}

// snapshot is what a Reader, Keeper or Writer holds: output of a command may come from another
// goroutine, for which the running step must not change.
func (t *task) snapshot() *task { return &task{ctx: t.ctx, run: t.run, step: t.step, gate: t.gate} }

const taskKey = "infrarun.task"

func taskOf(th *starlark.Thread) *task {
	t, ok := th.Local(taskKey).(*task)
	if !ok {
		panic("runtime: a thread that newThread did not make")
	}
	return t
}

// newThread makes every thread there is: with the task's budget, cancellation, printing and loading.
// Stop must be called when the thread is done with.
func newThread(t *task, name string) (th *starlark.Thread, stop func()) {
	th = &starlark.Thread{
		Name: name,
		Load: t.load,
		Print: func(_ *starlark.Thread, text string) {
			t.emit(events.Event{Kind: events.Log, Level: "info", Text: text})
		},
	}
	if t.budget == nil {
		t.budget = newBudget(t.run == nil)
	}
	granted := t.budget.take()
	th.SetMaxExecutionSteps(max(1, granted)) // 0 would be no limit
	th.OnMaxSteps = func(th *starlark.Thread) {
		share := t.budget.take()
		if granted += share; share > 0 {
			th.SetMaxExecutionSteps(granted)
			return
		}
		t.spent.Store(true)
		th.Cancel("budget")
	}
	th.SetLocal(taskKey, t)
	cancelled := context.AfterFunc(t.ctx, func() { th.Cancel("context") })
	leave := t.run.enterThread(th)
	return th, func() {
		cancelled()
		leave()
		t.budget.giveBack(granted - min(granted, th.Steps))
	}
}

// emit sends an event of this task.
func (t *task) emit(e events.Event) {
	if t.run == nil {
		return // what a module prints while it loads would come once for --help, too
	}
	if e.Step == nil {
		e.Step = t.step
	}
	if t.gate != nil {
		t.gate.emit(t.run, e)
		return
	}
	t.run.bus.Emit(e)
}

// stopping reports whether the run ends whatever the recipe does about it.
func (t *task) stopping(err error) bool {
	var u uncatchable
	return t.ctx.Err() != nil || errors.As(err, &u) || isDenied(err)
}

// call calls a function on the thread. Every function of a recipe is called here: a panic becomes an
// error, and of a thread that was stopped the error says why.
func call(th *starlark.Thread, fn starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, recovered(th.Name, p)
		}
	}()
	v, err = starlark.Call(th, fn, args, kwargs)
	return v, taskOf(th).explain(err)
}

// cancelPrefix begins the interpreter's error for a cancelled thread. It has no type of its own.
const cancelPrefix = "Starlark computation cancelled: "

// explain puts the reason in the place of the interpreter's error for a thread that was stopped.
func (t *task) explain(err error) error {
	if err == nil || !strings.HasPrefix(message(err), cancelPrefix) {
		return err
	}
	stopped := &stoppedError{err: err}
	switch {
	case t.spent.Load():
		stopped.cause = &budgetError{t.budget.total}
	case t.ctx.Err() != nil:
		stopped.cause = context.Cause(t.ctx)
	default:
		return err
	}
	return stopped
}

// stoppedError is a thread that was stopped from outside, where it stood.
type stoppedError struct{ cause, err error }

func (e *stoppedError) Error() string { return e.cause.Error() }

// Unwrap returns first the place, then the reason, then what the interpreter said.
func (e *stoppedError) Unwrap() []error {
	return []error{placed(e.cause.Error(), callStackOf(e.err)), e.cause, e.err}
}

// placed is an error with a place in a recipe, for package diag.
func placed(text string, stack starlark.CallStack) error {
	return &starlark.EvalError{Msg: text, CallStack: stack}
}

// callStackOf returns where an error happened: the calls of the innermost evaluation error.
func callStackOf(err error) (stack starlark.CallStack) {
	for ; err != nil; err = errors.Unwrap(err) {
		if eval, ok := err.(*starlark.EvalError); ok {
			stack = eval.CallStack
		}
	}
	return stack
}

// message is an error without the stack of calls that led to it.
func message(err error) string {
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		return eval.Msg
	}
	return err.Error()
}

// budgetError is a recipe that computes on and on.
type budgetError struct{ steps uint64 }

func (e *budgetError) Error() string {
	return fmt.Sprintf("the recipe used up its budget of %d steps", e.steps)
}

// Hint says what to do about it.
func (e *budgetError) Hint() string { return "a loop goes on for longer than any deployment needs" }

func (e *budgetError) uncatchable() {}
