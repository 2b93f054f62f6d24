package runtime

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
	"github.com/infrarun/infrarun/runtime/journal"
)

// unwind is the end of a run that failed with cause: it puts back what was changed.
func (r *Run) unwind(ctx context.Context, cause error) events.Outcome {
	if clean, err := r.closeClean(); clean {
		o := refusal(ctx, cause)
		if err != nil {
			r.note(err)
			o.Next = []string{rollbackCommand(r.id)} // else the next run will ask for it
		}
		return o
	}
	o := r.putBack(ctx, events.RolledBack)
	if o.Result == events.RolledBack && interrupted(ctx) {
		o.Result = events.Interrupted
	}
	return o
}

// closeClean closes the journal of a run that changed nothing, and reports whether it was one. The
// error is that the journal could not be closed.
func (r *Run) closeClean() (clean bool, err error) {
	if len(r.journal.State().Pending()) > 0 {
		return false, nil
	}
	if r.journal.Close(journal.Clean) == nil {
		return true, nil
	}
	// On a full disk the record that failed to be written may be what ended the run.
	if err := r.reopenJournal(); err != nil {
		return true, err
	}
	return true, r.journal.Close(journal.Clean)
}

// putBack undoes what is pending, and closes the journal. Whole is the result if nothing is left.
// Nothing interrupts it: half way is the worst place to stop.
func (r *Run) putBack(ctx context.Context, whole events.Result) events.Outcome {
	r.undoing.Store(true)
	p := &progress{run: r}
	o := r.undoAll(context.WithoutCancel(ctx), p)
	o.Result = whole
	outcome := journal.RolledBack
	if len(o.Left) > 0 {
		outcome = journal.Incomplete
	}
	if err := p.close(outcome); err != nil {
		o.Left = append(o.Left, events.Left{Call: "journal", Target: r.dir, Error: r.secrets.String(err.Error())})
	}
	if len(o.Left) > 0 {
		o.Result, o.Next = events.Incomplete, []string{rollbackCommand(r.id, r.also...)}
	}
	return o
}

// undoAll carries out every undo that is still pending, newest first. One that fails does not stop
// the rest, but those of older changes to the same thing wait for it: see waiting. The outcome has what
// is left, what was kept, and how many changes were undone.
func (r *Run) undoAll(ctx context.Context, p *progress) (o events.Outcome) {
	p.begin()
	pending := r.journal.State().Pending()
	r.tellForGood(pending)
	pending = slices.DeleteFunc(pending, func(e journal.EntryState) bool { return e.Undo == nil })
	r.emit(events.Event{Kind: events.RollbackStarted, Total: len(pending)})
	if err := r.endProcesses(ctx); err != nil {
		// Nothing may be put back while something still changes it.
		o.Left = []events.Left{{Call: "processes", Target: r.id, Error: err.Error()}}
		pending = nil
	}
	var stuck []journal.EntryState
	for _, e := range pending {
		kept, err := r.undoEntry(ctx, e, p, stuck)
		switch {
		case err != nil:
			stuck = append(stuck, e)
			o.Left = append(o.Left, events.Left{Call: e.Call, Target: e.Target, Error: err.Error()})
		case len(kept) > 0:
			o.Kept = append(o.Kept, kept...)
		case e.Undo.Kind != actionKind:
			o.Undone++
		}
	}
	r.emit(events.Event{Kind: events.RollbackFinished, Left: o.Left, Total: o.Undone})
	return o
}

// tellForGood names the changes that nothing undoes, as the preview said of them.
func (r *Run) tellForGood(pending []journal.EntryState) {
	var stay []string
	for _, e := range slices.Backward(pending) {
		if e.Undo == nil {
			stay = append(stay, strings.TrimSpace(e.Call+" "+e.Target))
		}
	}
	if len(stay) > 0 {
		r.emit(events.Event{Kind: events.Log, Level: "warn", Text: "nothing undoes: " + strings.Join(stay, "; ")})
	}
}

// undoEntry undoes one change, journals it and tells it. It returns what the undo kept on purpose. Stuck are
// the newer changes that could not be undone.
func (r *Run) undoEntry(ctx context.Context, e journal.EntryState, p *progress, stuck []journal.EntryState) (kept []events.Kept, err error) {
	begin := time.Now()
	if err = waiting(e, stuck); err == nil {
		err = failpoint.Hit("rollback.before-undo")
	}
	if err == nil {
		kept, err = r.undo(ctx, e)
	}
	if err == nil {
		err = failpoint.Hit("rollback.after-undo")
	}
	event := events.Event{Kind: events.Undone, Duration: time.Since(begin), Change: &events.Change{
		ID: e.ID, Call: e.Call, Target: e.Target, Undo: e.Class, UndoNote: e.Undo.Note, Position: e.Position, Status: events.Done,
	}}
	if err != nil {
		err = errors.New(r.secrets.String(err.Error()))
		event.Change.Status, event.Error = events.Failed, err.Error()
		p.failed(e.ID, err.Error())
	} else {
		p.undone(e.ID)
	}
	if err == nil && len(kept) > 0 {
		event.Change.Status, event.Change.Summary = events.Unchanged, "kept"
	}
	r.emit(event)
	return kept, err
}

// waiting is the error of an undo that must not be carried out yet, nil if it may: a newer change to the same thing
// is stuck. That one's undo will be tried again, and takes away what it finds where its change was. If this one had
// put back what was there before the run, it would take that away, or put back a state in between.
func waiting(e journal.EntryState, stuck []journal.EntryState) error {
	for _, newer := range stuck {
		if overlap(e, newer) {
			return fmt.Errorf("waits for the undo of the later %s", strings.TrimSpace(newer.Call+" "+newer.Target))
		}
	}
	return nil
}

// overlap reports whether two changes are, as far as is known, about the same thing: the same unit, process or user,
// or paths of which one lies in the other. What an action that a recipe pushed is about is not known.
func overlap(a, b journal.EntryState) bool {
	if a.Undo.Kind == actionKind || b.Undo.Kind == actionKind {
		return false
	}
	return overlapping(touched(a), touched(b))
}

// undo carries out one entry.
func (r *Run) undo(ctx context.Context, e journal.EntryState) (kept []events.Kept, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered("undo of "+e.Call, p)
		}
	}()
	u := r.host.reg.undoers[e.Undo.Kind]
	if u == nil {
		return nil, fmt.Errorf("this version of infrarun knows no undo of the kind %s", e.Undo.Kind)
	}
	w := &Writer{task: &task{ctx: ctx, run: r}, source: e.Target}
	err = u.Undo(ctx, w, e.Undo.Args)
	return w.kept, err
}

// note reports that progress of the rollback could not be journalled. The rollback goes on: an undo
// looks before it acts, so doing one again is harmless, and not doing one is not.
func (r *Run) note(err error) {
	r.emit(events.Event{Kind: events.Log, Level: "warn", Text: "the rollback could not be journalled: " + err.Error()})
}
