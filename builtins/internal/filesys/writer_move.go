package filesys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/infrarun/infrarun/runtime/failpoint"
)

// Rename moves a file or tree to a path where nothing is, also to another file system.
func (x *Writer) Rename(ctx context.Context, from, to string) error {
	ours := x.own.owns(from)
	if err := x.relocate(ctx, from, to); err != nil {
		return err
	}
	x.own.moved(from, to, ours)
	return nil
}

// relocate moves from to to, where nothing is. On the same file system that is one step. To another one
//
//  1. from is copied to a part beside to, durably,
//  2. from is renamed to a tomb beside it: from here on it counts as moved,
//  3. the part is renamed to to,
//  4. the tomb is deleted.
//
// So if to exists, the move has happened; if not, but the tomb, the tomb is whole; if neither, from is. Where from cannot
// be renamed at all, it is deleted after to is there.
func (x *Writer) relocate(ctx context.Context, from, to string) error {
	real, err := resolveParent(from)
	if err != nil {
		return err
	}
	if err := refuseMounts(real); err != nil {
		return err
	}
	err = x.renameNew(from, to)
	if errors.Is(err, syscall.EXDEV) {
		return x.relocateAcross(ctx, from, to)
	}
	if err != nil {
		return noSpace(to, 0, err)
	}
	return errors.Join(syncDir(filepath.Dir(to)), syncDir(filepath.Dir(from)))
}

func (x *Writer) relocateAcross(ctx context.Context, from, to string) error {
	part, tomb := x.temporary(to, asPart), x.temporary(from, asTomb)
	if err := x.deleteTree(part); err != nil {
		return err
	}
	if err := x.copyExactly(ctx, from, part); err != nil {
		return errors.Join(fmt.Errorf("move %s to the file system of %s: %w", from, to, err), x.deleteTree(part))
	}
	if err := failpoint.Hit("filesys.copied"); err != nil {
		return err
	}
	err := x.rename(from, tomb)
	if errors.Is(err, syscall.EXDEV) {
		// A directory of a lower layer of overlayfs cannot be renamed even within its own directory.
		if err := x.rename(part, to); err != nil {
			return err
		}
		return x.deleteTree(from)
	} else if err != nil {
		return errors.Join(err, x.deleteTree(part))
	}
	if err := failpoint.Hit("filesys.entombed"); err != nil {
		return err
	}
	if err := x.rename(part, to); err != nil {
		return err
	}
	if err := failpoint.Hit("filesys.moved"); err != nil {
		return err
	}
	return x.deleteTree(tomb)
}

// rename renames within a directory, durably, where nothing is under the new name.
func (x *Writer) rename(from, to string) error {
	if err := x.renameNew(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}

// renameLooking is a rename that looks first whether something is under the new name.
func (x *Writer) renameLooking(from, to string) error {
	if _, err := os.Lstat(to); err == nil {
		return &os.LinkError{Op: "move", Old: from, New: to, Err: fs.ErrExist}
	} else if !isNotExist(err) {
		return err
	}
	return os.Rename(from, to)
}

// moveBack undoes a relocation, or what there is of it.
func (x *Writer) moveBack(ctx context.Context, args movedArgs) error {
	from, to := string(args.From), string(args.To)
	part, tomb, back := x.temporary(to, asPart), x.temporary(from, asTomb), x.temporary(from, asBack)
	moved, err := exists(to)
	if err != nil {
		return err
	}
	if moved {
		// Should the original's remains still be there, they are in the way of what bringBack may put aside.
		if err := x.deleteTree(tomb); err != nil {
			return err
		}
		if err := x.makeAgain(args.Dirs); err != nil {
			return err
		}
		if err := x.bringBack(ctx, to, from, back, part); err != nil {
			return err
		}
	} else if err := x.finishMovingBack(from, tomb, back); err != nil {
		return err
	}
	return errors.Join(x.deleteTree(part), x.deleteTree(tomb), x.deleteTree(back))
}

// bringBack moves a tree home. What is there by now, and nobody journalled, is put aside. Across file systems the
// tree is first copied to back, and then retired to part, so that at each moment a whole one is found.
func (x *Writer) bringBack(ctx context.Context, at, home, back, part string) error {
	if err := x.putAside(ctx, home, "it is in the way of what was there"); err != nil {
		return err
	}
	err := x.renameNew(at, home)
	if err == nil {
		return errors.Join(syncDir(filepath.Dir(home)), syncDir(filepath.Dir(at)))
	}
	if !errors.Is(err, syscall.EXDEV) {
		return err
	}
	if err := errors.Join(x.deleteTree(back), x.deleteTree(part)); err != nil {
		return err
	}
	if err := x.copyExactly(ctx, at, back); err != nil {
		return err
	}
	if err := failpoint.Hit("filesys.copied-back"); err != nil {
		return err
	}
	if err := x.rename(at, part); err != nil {
		return err
	}
	if err := failpoint.Hit("filesys.retired"); err != nil {
		return err
	}
	return x.rename(back, home)
}

// finishMovingBack is for a move of which the destination is not there: it was not begun, or was broken off
// after the original was renamed, or was undone before except for the last step.
func (x *Writer) finishMovingBack(home, tomb, back string) error {
	for _, whole := range []string{back, tomb} {
		found, err := exists(whole)
		if err != nil {
			return err
		}
		if found {
			if err := x.rename(whole, home); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		}
	}
	return nil
}

// Discard moves a file or tree to the run's directory, where it is kept. It is for a removal in a rollback, which
// is itself not undone.
func (x *Writer) Discard(ctx context.Context, path string) error {
	place, err := x.w.Discard()
	if err != nil {
		return err
	}
	return x.relocate(ctx, path, place)
}

// putAside moves what is at a path, if anything, to the run's directory, where it is kept.
func (x *Writer) putAside(ctx context.Context, path, why string) error {
	there, err := exists(path)
	if err != nil || !there {
		return err
	}
	place, err := x.w.Discard()
	if err != nil {
		return err
	}
	x.w.Warn("%s: %s; it is kept as %s", path, why, place)
	return x.relocate(ctx, path, place)
}

func exists(path string) (bool, error) {
	_, err := lstat(path)
	if isNotExist(err) {
		return false, nil
	}
	return err == nil, err
}
