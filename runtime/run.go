package runtime

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
	"github.com/infrarun/infrarun/runtime/policy"
	"github.com/infrarun/infrarun/runtime/redact"
)

// Options are what a run is given beside its recipe.
type Options struct {
	State *State
	UI    UI // nil: nobody can be asked
	// Sinks receive the events, besides the run's own files.
	Sinks []events.Sink
	// Force lets a rollback go on although the machine has drifted.
	Force bool
	// Also are the things that [Host.Rollback] is asked to undo beyond what it does by itself. Families know the
	// words, such as "packages", and the command line has a flag --remove-THING for each; see [Writer.Also].
	Also []string
}

// Run is one execution of a recipe: a preview, a run, a look or a rollback.
type Run struct {
	host    *Host
	recipe  *Recipe
	mode    events.Mode
	id      string
	dir     string // the run's directory; "" in a preview and a look
	base    string // what relative paths in the recipe are relative to
	state   *State
	journal *journal.Journal // nil in a preview and a look
	guard   *policy.Guard
	secrets *redact.Set
	bus     *events.Bus
	world   *World
	ui      UI
	started time.Time
	rec     Record // what run.json says

	threads threads
	assumed sync.Map    // the texts of what was taken for granted
	undoing atomic.Bool // a failed run puts back what it changed
	also    []string    // what a rollback is asked for beyond the usual
	counts  struct{ changes, unchanged, assumed atomic.Int64 }

	fingerprints fingerprints
}

// preview reports whether this is a preview. The runs of modules that load, which are none, are not.
func (r *Run) preview() bool { return r != nil && r.mode == events.ModePreview }

// mayChange reports whether this may change the machine: only there is a [Writer] worth anything.
func (r *Run) mayChange() bool { return r.mode == events.ModeRun || r.mode == events.ModeRollback }

// doing returns what the door does with changes now.
func (r *Run) doing() events.Mode {
	if r.undoing.Load() {
		return events.ModeRollback
	}
	return r.mode
}

// previewID is the name by which builtins know the run of a preview, which has none.
const previewID = "preview"

// Preview executes the recipe without a value that could change anything, and tells what a run would
// do. It takes no lock and leaves no trace of itself. A recipe that only looks is executed: there is nothing to
// foresee.
func (r *Recipe) Preview(ctx context.Context, values Values, opts Options) events.Outcome {
	if r.looks {
		return r.look(ctx, values, opts)
	}
	run := &Run{mode: events.ModePreview, id: previewID}
	if err := run.prepare(r, values, opts); err != nil {
		return run.refuse(ctx, err)
	}
	run.emit(events.Event{Kind: events.RunStarted, Run: run.describe(values)})
	if warning := run.state.previewWarning(); warning != "" {
		run.emit(events.Event{Kind: events.Log, Level: "warn", Text: warning})
	}
	err := run.main(ctx, values)
	var o events.Outcome
	switch {
	case err != nil:
		o = refusal(ctx, err)
	case run.counts.changes.Load() > 0:
		o.Result = events.WouldChange
	default:
		o.Result = events.NoChange
	}
	return run.finish(run.conclude(o, err))
}

// Run executes the recipe. If it fails, or the context is cancelled, the machine is put back. Of a recipe that only
// looks nothing is recorded.
func (r *Recipe) Run(ctx context.Context, values Values, opts Options) events.Outcome {
	if r.looks {
		return r.look(ctx, values, opts)
	}
	run := &Run{mode: events.ModeRun}
	if err := run.prepare(r, values, opts); err != nil {
		return run.refuse(ctx, err)
	}
	lock, err := run.begin(values)
	if err != nil {
		return run.refuse(ctx, err)
	}
	defer lock.Release()
	run.emit(events.Event{Kind: events.RunStarted, Run: &run.rec.Run})
	err = run.main(ctx, values)
	if err == nil {
		err = run.commit()
	}
	o := events.Outcome{Result: events.Succeeded}
	if err != nil {
		o = run.unwind(ctx, err)
	}
	return run.finish(run.conclude(o, err))
}

// main calls the recipe's main function.
func (r *Run) main(ctx context.Context, values Values) error {
	ctx, done := bounded(ctx)
	defer done()
	th, stop := newThread(&task{ctx: ctx, run: r}, "main")
	defer stop()
	_, err := call(th, r.recipe.main, starlark.Tuple{r.recipe.contextValue(values, r.base, r.id, r.state.BuildCache())}, nil)
	cause := context.Cause(ctx)
	switch {
	case cause == nil, errors.Is(err, cause), isDenied(err):
		return err
	case err == nil:
		return cause // it came after the last builtin, and still before the commit
	}
	// A builtin says in its own words what being cancelled does to it.
	return fmt.Errorf("%w: %w", cause, err)
}

// commit makes the run's success durable. One that changed nothing leaves nothing to roll back.
func (r *Run) commit() error {
	outcome := journal.Committed
	if len(r.journal.State().Pending()) == 0 {
		outcome = journal.Clean
	}
	if err := r.journal.Close(outcome); err != nil {
		return fmt.Errorf("the recipe is done, but that could not be recorded: %w", err)
	}
	return nil
}

func (r *Run) emit(e events.Event) { r.bus.Emit(e) }
