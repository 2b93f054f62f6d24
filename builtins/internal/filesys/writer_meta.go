package filesys

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// Meta is what mode and owner something is to have.
type Meta struct {
	Path     string
	Kind     Kind         // what it was when this was decided
	Mode     *fs.FileMode // nil: its own; a link has none
	UID, GID int          // may be [Keep]
}

// SetMeta gives what is in a directory mode and owner, in this order; the paths are the directory or lie below it. What
// is gone or something else by now is passed over. Whatever others do to the tree meanwhile, such as putting a link in
// the place of a directory, nothing outside of it is changed.
func (x *Writer) SetMeta(ctx context.Context, dir string, all []Meta) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	for _, m := range all {
		if err := stopped(ctx); err != nil {
			return err
		}
		name, err := filepath.Rel(dir, m.Path)
		if err != nil {
			return err
		}
		if err := x.setMetaIn(root, name, m); err != nil && !isNotExist(err) {
			return err
		}
	}
	return nil
}

func (x *Writer) setMetaIn(root *os.Root, name string, m Meta) error {
	fi, err := root.Lstat(name)
	if err != nil {
		return err
	}
	now := infoOf(m.Path, fi)
	if now.Kind != m.Kind {
		return nil
	}
	mode := now.Mode
	if m.Mode != nil && now.Kind != Link {
		mode = *m.Mode
	}
	changes := mode != now.Mode
	if m.UID != Keep && m.UID != now.UID || m.GID != Keep && m.GID != now.GID {
		if err := root.Lchown(name, m.UID, m.GID); err != nil {
			return err
		}
		// These are taken away from a file that changes hands.
		changes = changes || mode&(fs.ModeSetuid|fs.ModeSetgid) != 0
	}
	if !changes {
		return nil
	}
	return root.Chmod(name, mode)
}

// restoreMetaIn is the undo of SetMeta, under the same precautions.
func (x *Writer) restoreMetaIn(args metaArgs) error {
	root, err := os.OpenRoot(string(args.Dir))
	if err != nil {
		return ignoreNotExist(err)
	}
	defer root.Close()
	var errs []error
	for _, s := range slices.Backward(args.Files) {
		was := s.info()
		name, err := filepath.Rel(string(args.Dir), was.Path)
		if err == nil {
			err = x.setMetaIn(root, name, Meta{was.Path, was.Kind, &was.Mode, was.UID, was.GID})
		}
		errs = append(errs, ignoreNotExist(err))
	}
	return errors.Join(errs...)
}
