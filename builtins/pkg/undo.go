package pkg

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// The kinds of the undo records of this family.
const (
	installKind = "pkg.install"
	removeKind  = "pkg.remove"
)

// alsoPackages is what an operator asks a rollback for that is to remove packages which it otherwise keeps.
const alsoPackages = "packages"

// installUndo is what a rollback knows of an installation.
type installUndo struct {
	Manager string `json:"manager"`
	// Keep says that the packages stay unless the operator asks for their removal.
	Keep bool `json:"keep,omitempty"`
	// Before is what was installed.
	Before journal.Blob `json:"before"`
	// Record is a file in the run's directory with what was brought. It is there if the installation came to its end, well or
	// not; otherwise everything that was not there before counts.
	Record string `json:"record"`
}

// removeUndo is what a rollback knows of a removal.
type removeUndo struct {
	Manager  string  `json:"manager"`
	Packages []entry `json:"packages"`
}

// Undo implements runtime.Change.
func (in *installing) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	text, err := json.Marshal(in.before)
	if err != nil {
		return nil, err
	}
	args := installUndo{Manager: in.manager.name, Keep: in.args.Undo != "remove"}
	if args.Before, err = k.Keep(bytes.NewReader(text), false); err != nil {
		return nil, err
	}
	if args.Record, err = k.TrashPath(); err != nil {
		return nil, err
	}
	in.record = args.Record
	return &runtime.Undo{Kind: installKind, Args: args, Note: in.Describe().UndoNote}, nil
}

// managerNamed returns the manager that a record was made with.
func managerNamed(name string) (*manager, error) {
	for _, m := range managers {
		if m.name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("this version of infrarun knows no package manager %s", name)
}
