package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/infrarun/infrarun/runtime/failpoint"
)

// Journal is a journal open for appending. All methods may be called by several goroutines at once.
//
// After any failed write or sync it is unusable: every later call returns the same error. The kernel may have
// dropped what it could not write and report success the next time, so nothing after a failure could be
// trusted. To go on, close it and [Open] it again, which finds out what really is in the file.
type Journal struct {
	*Blobs // contents that undo records refer to

	mu     sync.Mutex
	file   file
	name   string
	state  *State
	size   int64 // of the file
	synced int64 // how much of it is on the disk for sure
	err    error // why it is unusable
}

// file is the part of *os.File that a journal needs to append; the tests put a disk that loses power there.
type file interface {
	io.WriteCloser
	Sync() error
}

// Intend writes down changes that are about to be made, all of them or none, and assigns their IDs. When it
// returns nil they are on the disk, and the changes may be made. It refuses an entry whose class and undo
// contradict each other, and more than 16 MiB at once; that leaves the journal usable.
func (j *Journal) Intend(entries ...*Entry) error {
	if len(entries) == 0 {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	r := &record{Type: recIntend, Entries: make([]Entry, len(entries))}
	for i, e := range entries {
		r.Entries[i] = e.clone()
		r.Entries[i].ID = uint64(len(j.state.Entries) + i + 1)
	}
	if err := j.append(r, true); err != nil {
		return err
	}
	for i, e := range entries {
		e.ID = r.Entries[i].ID
	}
	return nil
}

// Done notes that a change was made, and what it left, for a later check whether somebody else has changed that
// since; after may be nil. It is not synced: if a crash loses it, the change counts as one that may have been made,
// and its undo has to look either way.
func (j *Journal) Done(id uint64, after json.RawMessage) error {
	return j.note(&record{Type: recDone, ID: id, After: slices.Clone(after)}, false)
}

// Failed notes that a change failed and may have left something behind, so it is still to be undone. Like Done, it is
// not synced.
func (j *Journal) Failed(id uint64, msg string) error {
	return j.note(&record{Type: recFailed, ID: id, Error: msg}, false)
}

// Withdraw notes that a change was certainly not made: it was never begun, or was refused before it had any effect.
// It is not pending any more. Like Done, it is not synced.
func (j *Journal) Withdraw(id uint64, reason string) error {
	return j.note(&record{Type: recWithdrawn, ID: id, Error: reason}, false)
}

// Undoing notes that a rollback begins, also of a run that has ended: its outcome holds no longer. It is durable
// when it returns, or a power cut could leave a run that is half undone and says "committed".
func (j *Journal) Undoing() error {
	return j.note(&record{Type: recUndoing, At: time.Now().UTC()}, true)
}

// Undone notes that changes were put back. It is durable when it returns: the undo of an older change may follow, and
// carrying out this newer one again after that would put back a state in between.
func (j *Journal) Undone(ids ...uint64) error {
	if len(ids) == 0 {
		return nil
	}
	return j.note(&record{Type: recUndone, IDs: slices.Clone(ids)}, true)
}

// UndoFailed notes that an undo failed. It is not synced: the undo is tried again, whether this is lost or not.
func (j *Journal) UndoFailed(id uint64, msg string) error {
	return j.note(&record{Type: recUndoFailed, ID: id, Error: msg}, false)
}

// Close writes how the run ended, durably, and closes the file. An outcome that the entries contradict is refused,
// and the journal stays open: Committed after Undoing, Clean when a change may have been made, RolledBack when
// something that can be undone was not. Close(Unfinished) writes nothing: the run stays open for another process.
func (j *Journal) Close(outcome Outcome) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(j.err, ErrClosed) {
		return j.err
	}
	if outcome != Unfinished && j.err == nil {
		if err := j.finish(outcome); err != nil && j.err == nil {
			return err
		}
	}
	err := j.err
	if cerr := j.file.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("close journal %s: %w", j.name, cerr)
	}
	j.err = ErrClosed
	return err
}

// finish syncs twice, so that the last record can say of all before it that they are on the disk: in the journal
// of a run that has ended, damage anywhere is then known as such.
func (j *Journal) finish(outcome Outcome) error {
	r := &record{Type: recFinished, Outcome: outcome, At: time.Now().UTC()}
	if err := j.state.admit(r); err != nil {
		return fmt.Errorf("close journal %s: %w", j.name, err)
	}
	if err := j.sync(r.Type); err != nil {
		return err
	}
	return j.append(r, true)
}

// State returns what the journal says now. It does not change with the journal.
func (j *Journal) State() *State {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.state.clone()
}

func (j *Journal) note(r *record, durable bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.append(r, durable)
}

// append writes one record, with one write, and syncs it if it must be durable. What is refused before the write
// leaves the journal as it was.
func (j *Journal) append(r *record, durable bool) error {
	if j.err != nil {
		return j.err
	}
	if err := j.state.admit(r); err != nil {
		return fmt.Errorf("journal %s: %w", j.name, err)
	}
	r.Synced = j.synced
	payload, err := r.encode()
	if err != nil {
		return fmt.Errorf("journal %s: encode %q record: %w", j.name, r.Type, err)
	}
	f, err := frame(payload)
	if err != nil {
		return fmt.Errorf("journal %s: %w", j.name, err)
	}
	if err := j.write(r.Type, f); err != nil {
		return err
	}
	if durable {
		if err := j.sync(r.Type); err != nil {
			return err
		}
	}
	j.state.apply(r)
	return nil
}

func (j *Journal) write(what string, b []byte) error {
	err := failpoint.Hit("journal.before-" + what)
	if err == nil {
		_, err = failpoint.Write("journal.write-"+what, j.file, b)
	}
	if err == nil {
		err = failpoint.Hit("journal.after-" + what)
	}
	if err != nil {
		return j.fail("append to", err)
	}
	j.size += int64(len(b))
	return nil
}

func (j *Journal) sync(what string) error {
	if j.synced == j.size {
		return nil
	}
	err := failpoint.Hit("journal.sync-" + what)
	if err == nil {
		err = j.file.Sync()
	}
	if err == nil {
		err = failpoint.Hit("journal.synced-" + what)
	}
	if err != nil {
		return j.fail("sync", err)
	}
	j.synced = j.size
	return nil
}

// fail makes the journal unusable.
func (j *Journal) fail(doing string, err error) error {
	j.err = fmt.Errorf("%s journal %s: %w: nothing more is recorded in it until it is opened again", doing, j.name, err)
	return j.err
}

// filename is the journal's name in a run directory.
const filename = "journal"
