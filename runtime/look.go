package runtime

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// A recipe that declares LOOKS shows things and changes none: LOOKS = True, or a function of ctx that tells by the
// parameters, as PERMISSIONS may be. Running it mints no [Writer], as in a preview, so it needs no lock, no journal
// and no directory: it goes on beside somebody else's run and after an interrupted one, and is not among the runs.
// Unlike a preview it predicts nothing and takes nothing for granted: what it waits for is really waited for.

// lookID is the name by which builtins know a run that only looks, which has none.
const lookID = "look"

// Looks reports whether the recipe declared that it only looks, with the parameters that Resolve has found.
func (r *Recipe) Looks() bool { return r.looks }

// look executes a recipe that declared that it only looks.
func (r *Recipe) look(ctx context.Context, values Values, opts Options) events.Outcome {
	run := &Run{mode: events.ModeLook, id: lookID}
	if err := run.prepare(r, values, opts); err != nil {
		return run.refuse(ctx, err)
	}
	run.emit(events.Event{Kind: events.RunStarted, Run: run.describe(values)})
	err := run.main(ctx, values)
	o := events.Outcome{Result: events.Succeeded}
	if err != nil {
		o = refusal(ctx, err)
	}
	if o.Result == events.Interrupted {
		err = nil // to stop looking is no failure, and where it stood tells nothing
	}
	o.Mode = events.ModeLook
	return run.finish(run.conclude(o, err))
}

// readLooks reads LOOKS: nothing, a bool, or a function of ctx, which is called when the parameters are known.
func (r *Recipe) readLooks(v starlark.Value) error {
	switch v := v.(type) {
	case nil:
	case starlark.Bool:
		r.looks = bool(v)
	case starlark.Callable:
		r.looksWhen = v
	default:
		return fmt.Errorf("LOOKS is %s, want a bool or a function of ctx that returns one", v.Type())
	}
	return nil
}

// computeLooks calls LOOKS where it is a function of ctx.
func (r *Recipe) computeLooks(ctx context.Context, values Values) error {
	if r.looksWhen == nil {
		return nil
	}
	v, err := r.declaration(ctx, "LOOKS", r.looksWhen, values)
	if err != nil {
		return err
	}
	looks, ok := v.(starlark.Bool)
	if !ok {
		return fmt.Errorf("%s: LOOKS returned %s, want a bool", r.Name, v.Type())
	}
	r.looks = bool(looks)
	return nil
}

// lookError is a change in a recipe that declared that it makes none.
type lookError struct{ call string }

func (e *lookError) Error() string {
	return e.call + ": the recipe declared in LOOKS that it only looks, so it can change nothing"
}

// Hint says what to do about it.
func (e *lookError) Hint() string {
	return "take this call out, or let LOOKS be False where something is changed: then it is a run, with a lock and a rollback"
}

// uncatchable: an attempt would hide a mistake in the recipe.
func (e *lookError) uncatchable() {}
