package filesys

import (
	"context"

	"github.com/infrarun/infrarun/runtime"
)

// Removal is a removal that has been prepared: see [Removing].
type Removal struct {
	path  string
	trash string // "": what the run made itself is deleted
}

// Removing prepares the removal of a file or tree, for [Writer.Remove], and returns its undo. What the run itself
// has made is deleted, since taking back the making undoes both; everything else is moved to the run's trash. What the
// run changed in between, in what it had made, its undo finds gone: see [ownership.madeDirs].
func Removing(k *runtime.Keeper, path string) (Removal, *runtime.Undo, error) {
	if ownershipOf(k.World()).owns(path) {
		undo := &runtime.Undo{Kind: "fs.created", Args: createdArgs{Paths: []Path{Path(path)}}, Note: "nothing: this run made it"}
		return Removal{path: path}, undo, nil
	}
	trash, err := k.TrashPath()
	if err != nil {
		return Removal{}, nil, err
	}
	undo := &runtime.Undo{Kind: "fs.trash", Args: movedArgs{From: Path(path), To: Path(trash)}, Note: "moves it back"}
	return Removal{path, trash}, undo, nil
}

// Remove carries out a removal. Nothing happens if there is nothing.
func (x *Writer) Remove(ctx context.Context, r Removal) error {
	there, err := exists(r.path)
	if err != nil || !there {
		return err
	}
	if r.trash == "" {
		return x.Delete(r.path)
	}
	return x.relocate(ctx, r.path, r.trash)
}
