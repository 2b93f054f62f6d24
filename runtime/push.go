package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

// action is what rollback.push records: a builtin or a top-level function of a module, and plain
// data. Another process carries it out from the journal's copy of the sources.
type action struct {
	Builtin  string          `json:"builtin,omitempty"`
	Module   moduleID        `json:"module,omitzero"`
	Function string          `json:"function,omitempty"`
	Args     json.RawMessage `json:"args"`   // a list
	Kwargs   json.RawMessage `json:"kwargs"` // an object
}

type pushArgs struct {
	Action starlark.Value   `arg:"action" doc:"a builtin such as process.stop, or a function at the top level of a module"`
	Args   starlark.Tuple   `arg:"*args" doc:"its arguments: plain data"`
	Kwargs []starlark.Tuple `arg:"**kwargs" doc:"its arguments by name: plain data"`
}

func rollbackFamily() *Family {
	return &Family{
		Name: "rollback",
		Doc:  "What a rollback does beside undoing each change.",
		Builtins: []*Builtin{
			Define(Builtin{
				Name: "rollback.push",
				Doc: "Has an action carried out when the run is rolled back, before what was changed earlier is undone. The " +
					"action is journalled: it is carried out even if infrarun itself is killed. It is a builtin or a function " +
					"at the top level of a module, with arguments that are plain data (None, bool, int, float, string, and lists " +
					"and dicts of them; a tuple arrives as a list); a lambda, a nested function, a struct or a live object is " +
					"refused, since another process could not call it.",
				Example: `rollback.push(process.start, "console", command = ["bin/console"])`,
			}, push),
		},
		Undoers: map[string]Undoer{actionKind: UndoKind[action, struct{}]{UndoFunc: carryOut}},
	}
}

const actionKind = "rollback.push"

func push(c *Call, a pushArgs) (starlark.Value, error) {
	r := c.task.run
	if r.mode == events.ModeLook {
		return nil, &lookError{c.Builtin.Name}
	}
	act, name, err := r.actionOf(a)
	if err != nil {
		return nil, err
	}
	switch r.doing() {
	case events.ModePreview:
		c.Emit(events.Event{Kind: events.Log, Level: "debug", Text: "on failure: " + name})
		return nil, nil
	case events.ModeRollback:
		return nil, errors.New("a rollback is not rolled back: nothing can be pushed while one runs")
	}
	args, err := json.Marshal(act)
	if err != nil {
		return nil, err
	}
	entry := &journal.Entry{
		Call: "rollback.push", Target: name, Position: c.Position(), Class: string(Compensating),
		Undo: &journal.Undo{Kind: actionKind, Args: args, Note: "calls " + name},
	}
	if err := c.task.journalled(entry); err != nil {
		return nil, err
	}
	return nil, r.journal.Done(entry.ID, nil)
}

// actionOf turns the arguments of rollback.push into data.
func (r *Run) actionOf(a pushArgs) (act action, name string, err error) {
	switch fn := a.Action.(type) {
	case *starlark.Builtin:
		if r.host.reg.values[fn.Name()] != fn {
			return act, "", fmt.Errorf("%s cannot be carried out by another process", fn.Name())
		}
		act.Builtin, name = fn.Name(), fn.Name()
	case *starlark.Function:
		id, ok := r.recipe.loader.moduleOf(fn)
		if !ok {
			return act, "", fmt.Errorf("%s at %s is not a function at the top level of a module, so another process could not call it",
				fn.Name(), fn.Position())
		}
		act.Module, act.Function, name = id, fn.Name(), fn.Name()
	default:
		return act, "", fmt.Errorf("got %s, want a builtin or a function", a.Action.Type())
	}
	kwargs := starlark.NewDict(len(a.Kwargs))
	for _, kv := range a.Kwargs {
		if err := kwargs.SetKey(kv[0], kv[1]); err != nil {
			return act, "", err
		}
	}
	if act.Args, err = encodePlain(starlark.NewList(slices.Clone(a.Args))); err == nil {
		act.Kwargs, err = encodePlain(kwargs)
	}
	if err != nil {
		return act, "", fmt.Errorf("arguments of %s: %w", name, err)
	}
	return act, name, nil
}

// carryOut calls the action in this process.
func carryOut(ctx context.Context, w *Writer, act action) error {
	r := w.task.run
	ctx, done := bounded(ctx)
	defer done()
	fn, err := r.actionFunc(ctx, act)
	if err != nil {
		return r.located(err)
	}
	th, stop := newThread(&task{ctx: ctx, run: r}, "rollback")
	defer stop()
	args, err := decodePlain(th, act.Args)
	if err != nil {
		return err
	}
	kwargs, err := decodePlain(th, act.Kwargs)
	if err != nil {
		return err
	}
	list, ok := args.(*starlark.List)
	dict, also := kwargs.(*starlark.Dict)
	if !ok || !also {
		return errors.New("undo record is unreadable: its arguments are no list and dict")
	}
	_, err = call(th, fn, slices.Collect(starlark.Elements(list)), dict.Items())
	return r.located(err)
}

// located puts the place of an error of a recipe before it, in one line.
func (r *Run) located(err error) error {
	if err == nil {
		return nil
	}
	d := r.recipe.Diagnose(err)
	if at := d.Position(); at != "" {
		return fmt.Errorf("%s: %s", at, d.Message)
	}
	return errors.New(d.Message)
}

func (r *Run) actionFunc(ctx context.Context, act action) (starlark.Value, error) {
	if act.Builtin != "" {
		if fn := r.host.reg.values[act.Builtin]; fn != nil {
			return fn, nil
		}
		return nil, fmt.Errorf("this version of infrarun has no builtin %s", act.Builtin)
	}
	globals, err := r.recipe.loader.load(ctx, act.Module)
	if err != nil {
		return nil, err
	}
	fn, ok := globals[act.Function].(*starlark.Function)
	if !ok {
		return nil, fmt.Errorf("%s has no function %s", r.recipe.loader.sources.shown(act.Module), act.Function)
	}
	return fn, nil
}
