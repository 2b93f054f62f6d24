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
	left, undone := r.undoAll(context.WithoutCancel(ctx), p)
	o := events.Outcome{Result: whole, Undone: undone, Left: left}
	outcome := journal.RolledBack
	if len(left) > 0 {
		outcome = journal.Incomplete
	}
	if err := p.close(outcome); err != nil {
		o.Left = append(o.Left, events.Left{Call: "journal", Target: r.dir, Error: r.secrets.String(err.Error())})
	}
	if len(o.Left) > 0 {
		o.Result, o.Next = events.Incomplete, []string{rollbackCommand(r.id)}
	}
	return o
}

// undoAll carries out every undo that is still pending, newest first. One that fails does not stop
// the rest. It returns what is left, and how many changes were undone.
func (r *Run) undoAll(ctx context.Context, p *progress) (left []events.Left, undone int) {
	p.begin()
	pending := r.journal.State().Pending()
	r.tellForGood(pending)
	pending = slices.DeleteFunc(pending, func(e journal.EntryState) bool { return e.Undo == nil })
	r.emit(events.Event{Kind: events.RollbackStarted, Total: len(pending)})
	if err := r.endProcesses(ctx); err != nil {
		// Nothing may be put back while something still changes it.
		left = []events.Left{{Call: "processes", Target: r.id, Error: err.Error()}}
		pending = nil
	}
	for _, e := range pending {
		if err := r.undoEntry(ctx, e, p); err != nil {
			left = append(left, events.Left{Call: e.Call, Target: e.Target, Error: err.Error()})
		} else if e.Undo.Kind != actionKind {
			undone++
		}
	}
	r.emit(events.Event{Kind: events.RollbackFinished, Left: left, Total: undone})
	return left, undone
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

// undoEntry undoes one change, journals it and tells it.
func (r *Run) undoEntry(ctx context.Context, e journal.EntryState, p *progress) error {
	begin := time.Now()
	err := failpoint.Hit("rollback.before-undo")
	if err == nil {
		err = r.undo(ctx, e)
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
	r.emit(event)
	return err
}

// undo carries out one entry.
func (r *Run) undo(ctx context.Context, e journal.EntryState) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered("undo of "+e.Call, p)
		}
	}()
	u := r.host.reg.undoers[e.Undo.Kind]
	if u == nil {
		return fmt.Errorf("this version of infrarun knows no undo of the kind %s", e.Undo.Kind)
	}
	return u.Undo(ctx, &Writer{&task{ctx: ctx, run: r}, e.Target}, e.Undo.Args)
}

// note reports that progress of the rollback could not be journalled. The rollback goes on: an undo
// looks before it acts, so doing one again is harmless, and not doing one is not.
func (r *Run) note(err error) {
	r.emit(events.Event{Kind: events.Log, Level: "warn", Text: "the rollback could not be journalled: " + err.Error()})
}
