package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

type attemptArgs struct {
	Fn     starlark.Callable `arg:"fn" doc:"the function to call"`
	Args   starlark.Tuple    `arg:"*args" doc:"its arguments"`
	Kwargs []starlark.Tuple  `arg:"**kwargs" doc:"its arguments by name"`
}

// attempt calls a function and turns its failure into a value, except for what ends the run whatever
// the recipe does: cancellation, a refusal, a spent budget, a use of an unknown value.
func attempt(c *Call, a attemptArgs) (starlark.Value, error) {
	v, err := call(c.Thread, a.Fn, a.Args, a.Kwargs)
	if err != nil && c.task.stopping(err) {
		return nil, err
	}
	result := starlark.StringDict{"ok": starlark.Bool(err == nil), "value": v, "error": starlark.String("")}
	if err != nil {
		result["value"], result["error"] = starlark.None, starlark.String(message(err))
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, result), nil
}

type parallelArgs struct {
	Fns   *starlark.List `arg:"fns" doc:"functions without parameters, or tuples of a function and its arguments"`
	Limit int            `arg:"limit" default:"0" doc:"how many run at once; 0: as many as there are processors"`
}

// parallel runs functions side by side and returns their values in order. When one fails the others
// are cancelled, and the failure is the call's.
//
// The functions share no value that could change: each function, what it encloses and its arguments are
// frozen, for good, in a preview too. What a function makes itself, and its value, stays changeable.
func parallel(c *Call, a parallelArgs) (starlark.Value, error) {
	if a.Limit < 0 {
		return nil, fmt.Errorf("limit is %d, want at least 0", a.Limit)
	}
	if c.task.nested == maxNested {
		return nil, fmt.Errorf("it is called within itself more than %d times", maxNested)
	}
	branches, err := branchesOf(c, a.Fns)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(c.Context())
	defer cancel(nil)
	slots := make(chan struct{}, parallelism(c, a.Limit))
	var wg sync.WaitGroup
	for i := range branches {
		b := &branches[i]
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			defer openGates(branches, b)
			if b.run(ctx, c.Thread.Name); b.err != nil {
				cancel(errBranch)
			}
		})
	}
	wg.Wait()
	return collect(branches)
}

// errBranch cancels the branches beside one that failed.
var errBranch = errors.New("cancelled, since a function beside it failed")

// branch is one function of a parallel call.
type branch struct {
	fn    starlark.Callable
	args  starlark.Tuple
	task  *task
	value starlark.Value
	err   error
	aside bool          // it failed after one beside it had, so because of that
	done  chan struct{} // closed when it has ended
}

func branchesOf(c *Call, fns *starlark.List) ([]branch, error) {
	branches := make([]branch, fns.Len())
	for i := range branches {
		b := &branches[i]
		v := fns.Index(i)
		if t, ok := v.(starlark.Tuple); ok && len(t) > 0 {
			v, b.args = t[0], t[1:]
		}
		fn, ok := v.(starlark.Callable)
		if !ok {
			return nil, fmt.Errorf("fns[%d] is %s, want a function or a tuple that begins with one", i, v.Type())
		}
		fn.Freeze()
		b.args.Freeze()
		b.fn, b.done = fn, make(chan struct{})
		t := c.task
		b.task = &task{
			run: t.run, step: t.step, gate: &gate{outer: t.gate, open: i == 0}, budget: t.budget, nested: t.nested + 1,
		}
	}
	return branches, nil
}

// parallelism is how many branches run at once. A preview runs one after the other: its predictions
// build on each other in one order.
func parallelism(c *Call, limit int) int {
	if c.Preview() {
		return 1
	}
	if limit > 0 {
		return limit
	}
	return processors
}

// run calls the branch's function in a thread of its own.
func (b *branch) run(ctx context.Context, name string) {
	defer func() { b.aside = b.err != nil && errors.Is(context.Cause(ctx), errBranch) }()
	if ctx.Err() != nil {
		b.err = context.Cause(ctx)
		return
	}
	b.task.ctx = ctx
	th, stop := newThread(b.task, name+" | "+b.fn.Name())
	defer stop()
	b.value, b.err = call(th, b.fn, b.args, nil)
}

// collect returns the values, or of the branches that failed by themselves the first one's error.
func collect(branches []branch) (starlark.Value, error) {
	values := make([]starlark.Value, len(branches))
	for i, b := range branches {
		if b.err != nil && !b.aside {
			return nil, &branchError{b.err}
		}
		values[i] = b.value
	}
	return starlark.NewList(values), nil
}

// branchError is the error of a branch, for the thread that called parallel: the interpreter adds the
// calls there to those in the branch.
type branchError struct{ err error }

func (e *branchError) Error() string { return message(e.err) }
func (e *branchError) Unwrap() error { return e.err }
