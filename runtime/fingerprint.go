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
	return r.task.run.fingerprint(of, content)
}

// Fingerprint is as for [Reader].
func (w *Writer) Fingerprint(of string, content []byte) ([]byte, error) {
	return w.task.run.fingerprint(of, content)
}

func (r *Run) fingerprint(of string, content []byte) ([]byte, error) {
	r.fingerprints.mu.Lock()
	defer r.fingerprints.mu.Unlock()
	if r.fingerprints.opened == nil {
		opened, err := journal.OpenFingerprints(r.state.KeyFile(), r.mayChange())
		if !r.mayChange() && errors.Is(err, fs.ErrNotExist) {
			opened, err = journal.NewFingerprints(), nil
		}
		if err != nil {
			return nil, err
		}
		r.fingerprints.opened = opened
	}
	return r.fingerprints.opened.Of(of, content), nil
}
