package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
	"github.com/infrarun/infrarun/runtime/journal"
)

// do is the door: every change to the machine passes here, in a preview and in a run alike. A recipe that declared that
// it only looks finds it shut.
func (t *task) do(c *Call, ch Change) (starlark.Value, error) {
	r := t.run
	if r.mode == events.ModeLook {
		return nil, &lookError{c.Builtin.Name}
	}
	d := ch.Describe()
	shown := &events.Change{
		Call: d.Call, Target: d.Target, Undo: string(d.Undo), UndoNote: d.UndoNote, Position: c.Position(),
	}
	if err := r.needAll(d); err != nil {
		t.finished(shown, events.Denied, 0, err)
		return nil, err
	}
	found, err := ch.Probe(t.ctx, &Reader{t.snapshot()})
	if err != nil {
		t.finished(shown, events.Failed, 0, err)
		return nil, failed(d, err)
	}
	shown.Summary, shown.Diff, shown.Assumed = found.Summary, found.Diff, found.Assumed
	if !found.Needed {
		r.counts.unchanged.Add(1)
		t.finished(shown, events.Unchanged, 0, nil)
		return found.Value, nil
	}
	switch r.doing() {
	case events.ModePreview:
		return t.predict(ch, d, shown)
	case events.ModeRollback:
		return t.apply(ch, d, shown, 0) // a rollback is never rolled back
	}
	id, err := t.intend(ch, d, shown)
	if err != nil {
		t.finished(shown, events.Failed, 0, err)
		return nil, failed(d, err)
	}
	return t.apply(ch, d, shown, id)
}

// predict is the door's last step in a preview.
func (t *task) predict(ch Change, d Description, shown *events.Change) (starlark.Value, error) {
	v, err := ch.Predict(t.run.world)
	if err != nil {
		t.finished(shown, events.Failed, 0, err)
		return nil, failed(d, err)
	}
	t.run.counts.changes.Add(1)
	if shown.Assumed != "" {
		t.run.counts.assumed.Add(1)
	}
	t.finished(shown, events.Would, 0, nil)
	return v, nil
}

// intend makes the undo of a change durable before the change begins.
func (t *task) intend(ch Change, d Description, shown *events.Change) (uint64, error) {
	entry := &journal.Entry{
		Call: d.Call, Target: d.Target, Position: shown.Position, Class: string(d.Undo), Touches: d.Touches,
	}
	undo, err := ch.Undo(t.ctx, &Keeper{t.snapshot()})
	if err != nil {
		return 0, fmt.Errorf("keep what the change would destroy: %w", err)
	}
	if undo == nil {
		entry.Class = string(NoUndo)
	} else {
		args, err := json.Marshal(undo.Args)
		if err != nil {
			return 0, fmt.Errorf("write the undo record: %w", err)
		}
		entry.Undo = &journal.Undo{Kind: undo.Kind, Args: args, Note: undo.Note}
		entry.Touches = slices.Concat(d.Touches, undo.Touches)
	}
	shown.Undo = entry.Class
	if err := t.journalled(entry); err != nil {
		return 0, err
	}
	shown.ID = entry.ID
	return entry.ID, nil
}

// errSecretUndo is the refusal of an undo record that would put a secret into the journal.
var errSecretUndo = errors.New("what undoes it holds a secret, which must not stand in the journal; " +
	"let it be read from a file or the environment instead")

// journalled writes an entry to the journal, without secrets.
func (t *task) journalled(e *journal.Entry) error {
	hide := t.run.secrets.String
	if t.step != nil {
		e.Step = hide(t.step.Name)
	}
	e.Target, e.Position = hide(e.Target), hide(e.Position)
	touches := make([]string, len(e.Touches))
	for i, path := range e.Touches {
		touches[i] = hide(path)
	}
	e.Touches = touches
	if e.Undo != nil {
		if t.run.secrets.Contains(e.Undo.Args) {
			return errSecretUndo
		}
		e.Undo.Note = hide(e.Undo.Note)
	}
	return t.run.journal.Intend(e)
}

// apply makes the change; id is its number in the journal, 0 in a rollback.
func (t *task) apply(ch Change, d Description, shown *events.Change, id uint64) (starlark.Value, error) {
	started := *shown
	t.emit(events.Event{Kind: events.ChangeStarted, Change: &started})
	begin := time.Now()
	done, err := t.attempted(ch, d)
	if id != 0 {
		if !isNotApplied(err) {
			t.run.counts.changes.Add(1)
		}
		if jerr := t.run.record(id, done, err); jerr != nil && err == nil {
			err = jerr
		}
	}
	if err != nil {
		if t.ctx.Err() != nil {
			err = context.Cause(t.ctx)
		}
		t.finished(shown, events.Failed, time.Since(begin), err)
		return nil, failed(d, err)
	}
	t.finished(shown, events.Done, time.Since(begin), nil)
	return done.Value, nil
}

// attempted is Apply, with its panics as errors: the journal must be told of them.
func (t *task) attempted(ch Change, d Description) (done Applied, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(d.Call, p)
		}
	}()
	if err := failpoint.Hit("door.before-apply"); err != nil {
		return Applied{}, err
	}
	if done, err = ch.Apply(t.ctx, &Writer{task: t.snapshot(), source: d.Target}); err != nil {
		return Applied{}, err
	}
	return done, failpoint.Hit("door.after-apply")
}

// record notes in the journal what became of a change.
func (r *Run) record(id uint64, done Applied, failure error) error {
	switch {
	case isNotApplied(failure):
		return r.journal.Withdraw(id, r.secrets.String(failure.Error()))
	case failure != nil:
		return r.journal.Failed(id, r.secrets.String(failure.Error()))
	case done.After == nil:
		return r.journal.Done(id, nil)
	}
	after, err := json.Marshal(done.After)
	if err != nil {
		return fmt.Errorf("note what the change left: %w", err)
	}
	if r.secrets.Contains(after) {
		after = nil // then a later rollback cannot tell whether somebody else has changed it since
	}
	return r.journal.Done(id, after)
}

// NotApplied marks an error of [Change.Apply] that left the machine as it was for certain, such as a
// command that does not exist: there is nothing to undo then.
func NotApplied(err error) error {
	if err == nil {
		return nil
	}
	return &notAppliedError{err}
}

type notAppliedError struct{ error }

func (e *notAppliedError) Unwrap() error { return e.error }

func isNotApplied(err error) bool {
	var not *notAppliedError
	return errors.As(err, &not)
}

func (t *task) finished(shown *events.Change, status events.Status, took time.Duration, err error) {
	copied := *shown
	copied.Status = status
	e := events.Event{Kind: events.ChangeFinished, Change: &copied, Duration: took}
	if err != nil {
		e.Error = err.Error()
	}
	t.emit(e)
}

// failed says which change an error is about.
func failed(d Description, err error) error {
	if isDenied(err) || d.Target == "" {
		return err
	}
	return fmt.Errorf("%s: %s: %w", d.Call, d.Target, err)
}
