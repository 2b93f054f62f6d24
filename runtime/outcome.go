package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// Exit codes of the command line.
const (
	ExitDone        = 0   // done; preview: nothing to change
	ExitRefused     = 1   // refused or failed before any change
	ExitWouldChange = 2   // preview: there are changes
	ExitRolledBack  = 3   // failed, everything put back
	ExitIncomplete  = 4   // failed, and something could not be put back
	ExitDenied      = 5   // refused by policy
	ExitLocked      = 6   // another run holds the lock, or one must first be rolled back
	ExitInterrupted = 130 // interrupted, everything put back
)

var exitCodes = map[events.Result]int{
	events.Succeeded:   ExitDone,
	events.Restored:    ExitDone,
	events.NoChange:    ExitDone,
	events.WouldChange: ExitWouldChange,
	events.Refused:     ExitRefused,
	events.DeniedRun:   ExitDenied,
	events.RolledBack:  ExitRolledBack,
	events.Incomplete:  ExitIncomplete,
	events.Interrupted: ExitInterrupted,
	events.Locked:      ExitLocked,
}

// ErrInterrupted is the cause with which a signal cancels the context of a run.
var ErrInterrupted = errors.New("interrupted")

// PendingError is an interrupted run that must be rolled back before another one begins.
type PendingError struct{ Run string }

func (e *PendingError) Error() string {
	return "run " + e.Run + " was interrupted and has not been rolled back"
}

// Hint says what to do about it.
func (e *PendingError) Hint() string { return rollbackCommand(e.Run) }

// rollbackCommand is the command that rolls a run back. Also are things that it is to undo beyond the usual:
// see [Options].
func rollbackCommand(run string, also ...string) string {
	command := "infrarun rollback " + run
	for _, thing := range also {
		command += " --remove-" + thing
	}
	return command
}

// refusal is the outcome of a run that failed before it changed anything.
func refusal(ctx context.Context, err error) events.Outcome {
	var locked *LockedError
	var pending *PendingError
	o := events.Outcome{Result: events.Refused}
	switch {
	case errors.As(err, &locked):
		o.Result = events.Locked
	case errors.As(err, &pending):
		o.Result = events.Locked
		o.Next = append(o.Next, pending.Hint())
	case isDenied(err):
		o.Result = events.DeniedRun
	case interrupted(ctx):
		o.Result = events.Interrupted
	}
	return o
}

func interrupted(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), ErrInterrupted)
}

// refuse is the end of a run that did not begin.
func (r *Run) refuse(ctx context.Context, err error) events.Outcome {
	o := refusal(ctx, err)
	o.Mode = r.mode
	return r.finish(r.conclude(o, err))
}

// conclude gives an outcome its exit code and its error, the whole diagnostic.
func (r *Run) conclude(o events.Outcome, err error) events.Outcome {
	o.ExitCode = exitCodes[o.Result]
	o.Changes = int(r.counts.changes.Load())
	o.Unchanged = int(r.counts.unchanged.Load())
	o.Assumed = int(r.counts.assumed.Load())
	if err != nil {
		d := r.recipe.Diagnose(err)
		o.Error, o.Trace = told(err, d)
		o.Position = d.Position()
		var failed *stepError
		if errors.As(err, &failed) {
			o.Step = failed.step.Title
		}
	}
	return o
}

// finish tells the outcome, once, and writes it down.
func (r *Run) finish(o events.Outcome) events.Outcome {
	o.Duration = time.Since(r.started)
	o = r.discreet(o)
	if r.dir != "" {
		r.enterOutcome(o)
		if err := r.state.writeRecord(r.rec); err != nil {
			r.emit(events.Event{Kind: events.Log, Level: "error", Text: err.Error()})
		}
	}
	r.emit(events.Event{Kind: events.RunFinished, Outcome: &o})
	if err := r.bus.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "infrarun: writing the run's files:", err)
	}
	if r.dir != "" && o.Result != events.Incomplete {
		if err := r.state.prune(); err != nil {
			fmt.Fprintln(os.Stderr, "infrarun: removing what old runs kept:", err)
		}
	}
	return o
}

// enterOutcome enters how this process ended into what run.json says.
func (r *Run) enterOutcome(o events.Outcome) {
	if r.mode == events.ModeRun {
		r.rec.Outcome, r.rec.Finished = &o, time.Now()
		return
	}
	r.rec.Rollback = &o
	if r.rec.Outcome == nil {
		r.rec.Outcome = killed()
	}
}

// killed is the outcome of a run that never came to tell one, once it has been rolled back.
func killed() *events.Outcome {
	return &events.Outcome{Result: events.Interrupted, ExitCode: ExitInterrupted, Error: "it was killed before it ended"}
}

// discreet takes the secrets out of an outcome: run.json and the caller do not get it from the bus.
func (r *Run) discreet(o events.Outcome) events.Outcome {
	hide := r.secrets.String
	o.Error, o.Trace, o.Position, o.Step = hide(o.Error), hide(o.Trace), hide(o.Position), hide(o.Step)
	o.Left, o.Next = slices.Clone(o.Left), slices.Clone(o.Next)
	for i, l := range o.Left {
		o.Left[i] = events.Left{Call: hide(l.Call), Target: hide(l.Target), Error: hide(l.Error)}
	}
	o.Kept = slices.Clone(o.Kept)
	for i, k := range o.Kept {
		o.Kept[i] = events.Kept{What: hide(k.What), Remove: hide(k.Remove)}
	}
	for i, command := range o.Next {
		o.Next[i] = hide(command)
	}
	return o
}
