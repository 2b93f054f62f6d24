package runtime

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime/journal"
)

const (
	keepRuns = 50 // runs of which the history is kept
	keepUndo = 5  // runs that can be undone, one after the other, and newest runs, of which all is kept
)

// prune removes what old runs kept, and what those kept that there is nothing to undo of any more: images can be among
// it, and runs that fail may be many. It is called with the lock held, after a run, or a rollback, that left nothing
// undone: then none is left that must be rolled back.
func (s *State) prune() error {
	entries, err := os.ReadDir(filepath.Join(s.dir, "runs"))
	if err != nil {
		return err
	}
	kept, undoable := 0, 0 // runs newer than the one that is looked at
	var errs []error
	for i := len(entries) - 1; i >= 0; i-- {
		if _, err := parseRunName(entries[i].Name()); err != nil || !entries[i].IsDir() {
			continue // not ours
		}
		r, err := s.Record(entries[i].Name())
		dir := s.RunDir(entries[i].Name())
		switch {
		case errors.Is(err, fs.ErrNotExist):
			errs = append(errs, os.RemoveAll(dir)) // killed before it had begun anything
			continue
		case err != nil, r.Interrupted():
			continue // for the operator to decide
		case stands(r) && undoable < keepUndo:
			undoable++
		case kept >= keepRuns:
			errs = append(errs, os.RemoveAll(dir))
			continue
		case kept >= keepUndo:
			for _, name := range []string{"journal", "blobs", "trash"} {
				errs = append(errs, os.RemoveAll(filepath.Join(dir, name)))
			}
		case nothingToUndo(dir):
			errs = append(errs, os.RemoveAll(filepath.Join(dir, "blobs")))
		}
		kept++
	}
	return errors.Join(errs...)
}

// nothingToUndo reports whether the journal of a run says that nothing of it will ever be undone.
func nothingToUndo(dir string) bool {
	st, err := journal.Read(dir)
	return err == nil && (st.Outcome == journal.RolledBack || st.Outcome == journal.Clean)
}
