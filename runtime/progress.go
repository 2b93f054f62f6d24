package runtime

import (
	"slices"

	"github.com/infrarun/infrarun/runtime/journal"
)

// progress journals how far a rollback has come. A write may fail, as on a full disk, which is perhaps
// what ended the run; what is put back may make room. So what could not be written is kept, and written
// with what follows, to the journal opened anew: see [journal.Journal].
type progress struct {
	run    *Run
	begun  bool     // the journal says that the rollback has begun
	unsaid []uint64 // undone, but the journal does not say so
	warned bool
}

// begin notes that the rollback begins.
func (p *progress) begin() { p.write(func() error { return nil }) }

// undone notes that a change was undone.
func (p *progress) undone(id uint64) {
	p.unsaid = append(p.unsaid, id)
	p.begin()
}

// failed notes that an undo failed.
func (p *progress) failed(id uint64, why string) {
	p.write(func() error { return p.run.journal.UndoFailed(id, why) })
}

// close writes how the rollback ended.
func (p *progress) close(outcome journal.Outcome) error {
	return p.write(func() error { return p.run.journal.Close(outcome) })
}

// write writes what is not yet said, and then more. It tries twice.
func (p *progress) write(more func() error) error {
	err := p.try(more)
	if err == nil {
		return nil
	}
	if err = p.reopen(); err == nil {
		err = p.try(more)
	}
	if err != nil && !p.warned {
		p.warned = true
		p.run.note(err)
	}
	return err
}

func (p *progress) try(more func() error) error {
	if !p.begun {
		if err := p.run.journal.Undoing(); err != nil {
			return err
		}
		p.begun = true
	}
	if err := p.run.journal.Undone(p.unsaid...); err != nil {
		return err
	}
	p.unsaid = nil
	return more()
}

// reopen finds out what the journal really says.
func (p *progress) reopen() error {
	if err := p.run.reopenJournal(); err != nil {
		return err
	}
	st := p.run.journal.State()
	p.begun = st.Undoing && st.Outcome == journal.Unfinished
	p.unsaid = slices.DeleteFunc(p.unsaid, func(id uint64) bool { return st.Entries[id-1].Status == journal.Undone })
	return nil
}

// reopenJournal opens the journal of this run anew, after a write has failed. A change of which the
// record turns out to be there although writing it failed was never begun.
func (r *Run) reopenJournal() error {
	known := len(r.journal.State().Entries)
	r.journal.Close(journal.Unfinished) // it says again what has failed
	j, st, err := journal.Open(r.dir)
	if err != nil {
		return err
	}
	r.journal = j
	for _, e := range st.Entries[min(known, len(st.Entries)):] {
		if e.Status != journal.Intended {
			continue
		}
		if err := j.Withdraw(e.ID, "not begun: writing this record failed"); err != nil {
			return err
		}
	}
	return nil
}
