package runtime

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

// unfinished returns the newest run that must first be rolled back, and whether there is one. The
// journal decides, not run.json: it is what a rollback goes by.
func (s *State) unfinished() (Record, bool, error) {
	runs, err := s.Runs()
	if err != nil {
		return Record{}, false, err
	}
	for _, r := range runs {
		st, err := journal.Read(s.RunDir(r.Run.ID))
		if errors.Is(err, fs.ErrNotExist) && !r.Interrupted() {
			continue // too old to be undone
		} else if err != nil {
			return r, false, s.journalError(r, err)
		}
		if st.Outcome == journal.Unfinished || st.Outcome == journal.Incomplete {
			return r, true, nil
		}
	}
	return Record{}, false, nil
}

// toRollBack returns the run that a rollback is about: the one named id, or, if it is "", the one that
// must be or else can be rolled back.
func (s *State) toRollBack(id string) (Record, error) {
	pending, ok, err := s.unfinished()
	if err != nil {
		return Record{}, err
	}
	if ok {
		if !strings.HasPrefix(pending.Run.ID, id) {
			return Record{}, &PendingError{pending.Run.ID}
		}
		return pending, nil
	}
	newest, ok, err := s.newestUndoable()
	switch {
	case err != nil:
		return Record{}, err
	case id != "":
		return s.named(id, newest)
	case !ok:
		return Record{}, errors.New("there is no run to roll back; `infrarun runs` lists what there was")
	}
	return newest, nil
}

// newestUndoable returns the newest run of which the changes stand.
func (s *State) newestUndoable() (Record, bool, error) {
	runs, err := s.Runs()
	if err != nil {
		return Record{}, false, err
	}
	for _, r := range runs {
		st, err := journal.Read(s.RunDir(r.Run.ID))
		switch {
		case err == nil && st.Outcome == journal.Committed:
			return r, true, nil
		case errors.Is(err, fs.ErrNotExist) && stands(r):
			return r, true, nil // too old, as will be said
		}
	}
	return Record{}, false, nil
}

// stands reports whether, as far as run.json knows, a run left changes that were not undone.
func stands(r Record) bool {
	return r.Outcome != nil && r.Outcome.Result == events.Succeeded && r.Outcome.Changes > 0 && r.Rollback == nil
}

// named returns the run of that name if it is the one that can be rolled back.
func (s *State) named(id string, newest Record) (Record, error) {
	r, err := s.Find(id)
	switch {
	case err != nil:
		return Record{}, err
	case r.Run.ID == newest.Run.ID:
		return r, nil
	case r.Rollback != nil:
		return Record{}, fmt.Errorf("run %s has been rolled back already", r.Run.ID)
	case r.Outcome == nil || !stands(r):
		return Record{}, fmt.Errorf("run %s left nothing that could be put back", r.Run.ID)
	}
	return Record{}, fmt.Errorf("run %s is not the newest: roll back %s first", r.Run.ID, newest.Run.ID)
}

// journalError says what it means that the journal of a run cannot be used.
func (s *State) journalError(r Record, err error) error {
	if errors.Is(err, fs.ErrNotExist) && !r.Interrupted() {
		return fmt.Errorf("run %s can no longer be undone: only the newest %d keep what that takes", r.Run.ID, keepUndo)
	}
	return &JournalError{r.Run.ID, s.RunDir(r.Run.ID), err}
}

// JournalError is a run of which nobody can tell whether, and how, it must be put back.
type JournalError struct {
	Run, Dir string
	err      error
}

func (e *JournalError) Error() string { return fmt.Sprintf("the journal of run %s: %v", e.Run, e.err) }
func (e *JournalError) Unwrap() error { return e.err }

// Hint says what to do about it.
func (e *JournalError) Hint() string {
	return fmt.Sprintf("restore it from a copy; if there is none, see in %s/deploy.log what the run changed, put that back by hand, "+
		"and move %s away", e.Dir, e.Dir)
}

// previewWarning says what stands in the way of a run, "" if nothing does.
func (s *State) previewWarning() string {
	pending, ok, err := s.unfinished()
	switch {
	case err != nil:
		return err.Error() + "; no run can begin before that is mended"
	case !ok:
		return ""
	}
	if h := s.holder(); h.Run == pending.Run.ID && syscall.Kill(h.PID, 0) != syscall.ESRCH {
		return fmt.Sprintf("run %s is under way, in process %d; this preview shows what is there now", h.Run, h.PID)
	}
	e := &PendingError{pending.Run.ID}
	return fmt.Sprintf("%v; this preview shows what is there now. Put it back with `%s`", e, e.Hint())
}
