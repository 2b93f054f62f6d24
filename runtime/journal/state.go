package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Status says how far a change has come.
type Status string

const (
	Intended   Status = "intended"    // may or may not have been made: the process died, or is at it
	Done       Status = "done"        // made
	Failed     Status = "failed"      // failed, and may have left something
	Withdrawn  Status = "withdrawn"   // certainly not made
	Undone     Status = "undone"      // put back
	UndoFailed Status = "undo-failed" // the undo failed; it will be tried again
)

// EntryState is an entry and what became of it.
type EntryState struct {
	Entry
	Status Status
	After  json.RawMessage // what the change left, as given to Done; nil if it did not get there
	Error  string          // message of the last Failed, Withdraw or UndoFailed
}

// State is what a journal says.
type State struct {
	Meta    Meta         // zero if the run died before its first record was written; it changed nothing then
	Entries []EntryState // oldest first; the entry with ID n is Entries[n-1]
	Outcome Outcome      // the last one written; Unfinished if there is none, or a rollback has begun since
	Ended   time.Time    // when Outcome was written; zero if Unfinished
	Undoing bool         // a rollback has begun, now or earlier

	Torn bool  // the file ends in a record that was not completely written, as a crash leaves it
	Cut  int64 // how many bytes that is

	begun bool
}

// Pending returns what must still be undone, newest first: every change that was made, or may have been, and has
// not been put back. It includes those whose undo has failed before, and those that nothing can undo (Undo is
// nil), so that the caller can say what is left.
func (s *State) Pending() []EntryState {
	var pending []EntryState
	for _, e := range slices.Backward(s.Entries) {
		if e.Status != Undone && e.Status != Withdrawn {
			pending = append(pending, e)
		}
	}
	return pending
}

// admit reports why r must not follow what is there. The writer asks before it writes and the reader before it
// believes, so both hold to the same rules.
func (s *State) admit(r *record) error {
	if r.Type == recBegin {
		if s.begun {
			return errors.New("a journal begins only once")
		}
		if r.Meta == nil {
			return errors.New("begin without meta")
		}
		return nil
	}
	if !s.begun {
		return fmt.Errorf("%q before the begin record", r.Type)
	}
	if s.Outcome != Unfinished && r.Type != recUndoing {
		return fmt.Errorf("%q after the run has ended: %s", r.Type, s.Outcome)
	}
	switch r.Type {
	case recIntend:
		return s.admitIntend(r.Entries)
	case recDone, recFailed, recWithdrawn:
		return s.admitStatus(r, Intended)
	case recUndone, recUndoFailed:
		if !s.Undoing {
			return errors.New("an undo before the rollback has begun")
		}
		return s.admitStatus(r, Intended, Done, Failed, UndoFailed)
	case recUndoing:
		return nil
	case recFinished:
		return s.admitOutcome(r.Outcome)
	}
	return fmt.Errorf("unknown type of record %q", r.Type)
}

func (s *State) admitIntend(entries []Entry) error {
	if s.Undoing {
		return errors.New("a new change after the rollback has begun")
	}
	for i := range entries {
		e := &entries[i]
		if want := uint64(len(s.Entries) + i + 1); e.ID != want {
			return fmt.Errorf("entry %d where %d is next", e.ID, want)
		}
		if err := e.check(); err != nil {
			return fmt.Errorf("entry %d (%s %s): %w", e.ID, e.Call, e.Target, err)
		}
	}
	return nil
}

// admitStatus reports why the entries that r is about cannot get a new status: one is unknown, or has none of those
// given.
func (s *State) admitStatus(r *record, from ...Status) error {
	for _, id := range r.ids() {
		if id == 0 || id > uint64(len(s.Entries)) {
			return fmt.Errorf("no entry %d", id)
		}
		if is := s.Entries[id-1].Status; !slices.Contains(from, is) {
			return fmt.Errorf("entry %d is %s already", id, is)
		}
	}
	return nil
}

// admitOutcome refuses an outcome that is not the truth.
func (s *State) admitOutcome(o Outcome) error {
	switch o {
	case Committed:
		if s.Undoing {
			return errors.New("a run whose rollback has begun cannot be committed")
		}
	case Clean:
		for _, e := range s.Entries {
			if e.Status != Withdrawn {
				return fmt.Errorf("not clean: entry %d (%s %s) is %s", e.ID, e.Call, e.Target, e.Status)
			}
		}
	case RolledBack:
		for _, e := range s.Pending() {
			if e.Undo != nil {
				return fmt.Errorf("not rolled back: entry %d (%s %s) is %s", e.ID, e.Call, e.Target, e.Status)
			}
		}
	case Incomplete:
	default:
		return fmt.Errorf("unknown outcome %q", o)
	}
	return nil
}

// apply enters a record that admit has passed.
func (s *State) apply(r *record) {
	switch r.Type {
	case recBegin:
		s.Meta, s.begun = *r.Meta, true
	case recIntend:
		for _, e := range r.Entries {
			s.Entries = append(s.Entries, EntryState{Entry: e, Status: Intended})
		}
	case recUndoing:
		// What ended the run before no longer holds: dying now leaves it half undone.
		s.Undoing, s.Outcome, s.Ended = true, Unfinished, time.Time{}
	case recFinished:
		s.Outcome, s.Ended = r.Outcome, r.At
	default:
		for _, id := range r.ids() {
			e := &s.Entries[id-1]
			e.Status = statusAfter[r.Type]
			if r.After != nil {
				e.After = r.After
			}
			if r.Error != "" {
				e.Error = r.Error
			}
		}
	}
}

var statusAfter = map[string]Status{
	recDone: Done, recFailed: Failed, recWithdrawn: Withdrawn, recUndone: Undone, recUndoFailed: UndoFailed,
}

// ids returns the entries that a record is about.
func (r *record) ids() []uint64 {
	if len(r.IDs) > 0 {
		return r.IDs
	}
	return []uint64{r.ID}
}

// clone returns a copy that later records do not change.
func (s *State) clone() *State {
	c := *s
	c.Entries = slices.Clone(s.Entries)
	return &c
}
