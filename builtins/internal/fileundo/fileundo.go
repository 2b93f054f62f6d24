// Package fileundo lets the undo of one change hold those of several files: a change has one undo record,
// but a command creates paths and a service has a script, a definition and a pidfile.
package fileundo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// Records are undo records that package filesys made, in the order in which what they undo is done.
type Records []Record

// Record is one undo record of package filesys.
type Record struct {
	Kind string          `json:"kind"`
	Args json.RawMessage `json:"args"`
}

// Add appends a record.
func (r *Records) Add(u *runtime.Undo) error {
	args, err := json.Marshal(u.Args)
	if err != nil {
		return fmt.Errorf("write the undo record of a file: %w", err)
	}
	*r = append(*r, Record{u.Kind, args})
	return nil
}

// Undo carries them out, the last first. One that fails does not stop the others.
func (r Records) Undo(ctx context.Context, w *runtime.Writer) error {
	undoers := filesys.Undoers()
	var errs []error
	for _, rec := range slices.Backward(r) {
		u := undoers[rec.Kind]
		if u == nil {
			errs = append(errs, fmt.Errorf("this version of infrarun knows no undo of the kind %s", rec.Kind))
			continue
		}
		errs = append(errs, u.Undo(ctx, w, rec.Args))
	}
	return errors.Join(errs...)
}
