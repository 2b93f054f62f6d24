package runtime

import (
	"errors"
	"io/fs"
	"sync"

	"github.com/infrarun/infrarun/runtime/journal"
)

// fingerprints are opened when the first is asked for.
type fingerprints struct {
	mu     sync.Mutex
	opened *journal.Fingerprints
}

// Fingerprint returns a hash of a content, by which it is known again in this state directory, and which tells nobody what
// it is: that takes the state directory's key. Another state directory has other fingerprints. What the content is of is
// part of it.
//
// A preview in a state directory that has no key yet makes none; it has a key of its own, by which nothing that is there
// is known.
func (r *Reader) Fingerprint(of string, content []byte) ([]byte, error) {
	run := r.task.run
	run.fingerprints.mu.Lock()
	defer run.fingerprints.mu.Unlock()
	if run.fingerprints.opened == nil {
		opened, err := journal.OpenFingerprints(run.state.KeyFile(), run.mayChange())
		if !run.mayChange() && errors.Is(err, fs.ErrNotExist) {
			opened, err = journal.NewFingerprints(), nil
		}
		if err != nil {
			return nil, err
		}
		run.fingerprints.opened = opened
	}
	return run.fingerprints.opened.Of(of, content), nil
}
