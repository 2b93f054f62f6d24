package fetch

import (
	"context"
	"encoding/json"
	"errors"
	"os"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
)

// treeKind is the kind of the undo records of fetch.tree.
const treeKind = "fetch.tree"

// treeUndo takes back a tree.
type treeUndo struct {
	Dst filesys.Path `json:"dst"`
	// Temp is where an interrupted change left its files, and where the undo puts the tree to take it away: so what is at
	// Dst is never taken for the run's own before it is.
	Temp  filesys.Path     `json:"temp"`
	Made  fileundo.Records `json:"made"`            // takes Temp away
	Aside filesys.Path     `json:"aside,omitempty"` // where the old directory was moved; "" if there was none
	Moved fileundo.Records `json:"moved,omitempty"` // moves that back
}

// Undo implements runtime.Change.
func (x *fetchTree) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	args := treeUndo{Dst: filesys.Path(x.dst), Temp: filesys.Path(x.temp)}
	if err := args.Made.Add(filesys.UndoCreatedTree(k, x.temp)); err != nil {
		return nil, err
	}
	note := "removes " + x.dst
	if x.replace {
		var err error
		if x.aside, err = k.TrashPath(); err != nil {
			return nil, err
		}
		args.Aside = filesys.Path(x.aside)
		if err := args.Moved.Add(filesys.UndoMoved(k, x.dst, x.aside)); err != nil {
			return nil, err
		}
		note += " and puts back the one before"
	}
	return &runtime.Undo{Kind: treeKind, Args: args, Note: note}, nil
}

func undoTree(ctx context.Context, w *runtime.Writer, args treeUndo) error {
	var err error
	// The tree can only be there when the old directory has been moved, and not yet been moved back.
	if (args.Aside == "" || exists(args.Aside)) && exists(args.Dst) {
		files := filesys.Writable(w)
		if err = files.Delete(string(args.Temp)); err == nil {
			err = files.Rename(ctx, string(args.Dst), string(args.Temp))
		}
	}
	if err != nil {
		return err
	}
	return errors.Join(args.Made.Undo(ctx, w), args.Moved.Undo(ctx, w))
}

func exists(path filesys.Path) bool {
	_, err := os.Lstat(string(path))
	return err == nil
}

// treeDrift says whether the tree that is there is another one by now.
func treeDrift(ctx context.Context, r *runtime.Reader, _ treeUndo, after []filesys.Left) (string, error) {
	left, err := json.Marshal(after)
	if err != nil {
		return "", err
	}
	return filesys.Undoers()["fs.created"].Drift(ctx, r, json.RawMessage("{}"), left)
}
