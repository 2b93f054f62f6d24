package filesys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
)

// Undoers carry out the undo records that this package makes. They are registered once, by the family fs.
func Undoers() map[string]runtime.Undoer {
	return map[string]runtime.Undoer{
		"fs.created": runtime.UndoKind[createdArgs, []Left]{UndoFunc: undoCreation, DriftFunc: drift[createdArgs]},
		"fs.file":    runtime.UndoKind[keptArgs, []Left]{UndoFunc: restore, DriftFunc: drift[keptArgs]},
		"fs.trash":   runtime.UndoKind[movedArgs, []Left]{UndoFunc: undoMove, DriftFunc: drift[movedArgs]},
		"fs.moved":   runtime.UndoKind[movedArgs, []Left]{UndoFunc: undoMove, DriftFunc: drift[movedArgs]},
		"fs.meta":    runtime.UndoKind[metaArgs, []Left]{UndoFunc: restoreMeta, DriftFunc: drift[metaArgs]},
	}
}

func undoCreation(ctx context.Context, w *runtime.Writer, args createdArgs) error {
	return Writable(w).takeAwayAll(ctx, args.Paths, args.Content)
}

// takeAwayAll removes what a change has made at paths where nothing was, the last first.
func (x *Writer) takeAwayAll(ctx context.Context, paths []Path, how content) error {
	var errs []error
	dirs := map[string]bool{}
	for _, p := range slices.Backward(paths) {
		errs = append(errs, x.takeAway(ctx, string(p), how))
		dirs[filepath.Dir(string(p))] = true
	}
	for dir := range dirs {
		errs = append(errs, ignoreNotExist(notDir(syncDir(dir))))
	}
	return errors.Join(errs...)
}

// takeAway removes what is at a path; nothing if it is gone. What becomes of a directory that is not empty depends
// on how its content came about.
func (x *Writer) takeAway(ctx context.Context, path string, how content) error {
	if err := x.cleanBeside(path); err != nil {
		return err
	}
	err := ignoreNotExist(notDir(os.Remove(path))) // a file, a link or an empty directory
	if !errors.Is(err, syscall.ENOTEMPTY) && !errors.Is(err, syscall.EEXIST) {
		return err
	}
	switch how {
	case private:
		return x.deleteTree(path)
	case repeatable:
		place, err := x.w.Discard()
		if err != nil {
			return err
		}
		if err := refuseMounts(realOf(path)); err != nil {
			return err
		}
		if err := x.renameNew(path, place); err == nil {
			return nil
		}
		return x.deleteTree(path)
	}
	return x.putAside(ctx, path, "more is in it than this run made")
}

// cleanBeside removes what an interrupted change, or its interrupted undo, may have left beside a path. Of a tomb
// there is always a whole copy elsewhere.
func (x *Writer) cleanBeside(path string) error {
	return errors.Join(
		ignoreNotExist(notDir(x.cleanDraft(path))),
		x.deleteTree(x.temporary(path, asPart)),
		x.deleteTree(x.temporary(path, asTomb)),
	)
}

// restore puts files, links and directories back to what they were.
func restore(ctx context.Context, w *runtime.Writer, args keptArgs) error {
	x := Writable(w)
	var made []Path
	for _, s := range args.Files {
		if s.Kind == "" {
			made = append(made, s.Path)
		}
	}
	return errors.Join(x.takeAwayAll(ctx, made, unexpected), x.restoreAll(ctx, args))
}

func (x *Writer) restoreAll(ctx context.Context, args keptArgs) error {
	if err := x.makeAgain(args.Dirs); err != nil {
		return err
	}
	content, err := x.openKept(args)
	if err != nil {
		return err
	}
	defer content.Close()
	b := newBatch()
	defer x.discard(b)
	for _, s := range args.Files {
		switch s.Kind {
		case "":
		case File:
			err = x.restoreFile(ctx, b, s.info(), io.LimitReader(content, s.Size))
		default:
			err = x.restoreOther(ctx, s.info())
		}
		if err != nil {
			return fmt.Errorf("put back %s: %w", s.Path, err)
		}
	}
	if _, err := io.Copy(io.Discard, content); err != nil {
		return err // known only at the end: what was kept is damaged
	}
	return x.finish(b)
}

// openKept opens what files had in them. If it is for more files than a batch takes, so that some would be in place
// before all is read, it is first read to its end, where damage is found out.
func (x *Writer) openKept(args keptArgs) (io.ReadCloser, error) {
	if args.Content == nil {
		return io.NopCloser(bytes.NewReader(nil)), nil
	}
	if len(args.Files) >= maxOpen {
		f, err := x.w.Open(*args.Content)
		if err != nil {
			return nil, err
		}
		_, err = io.Copy(io.Discard, f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
	}
	return x.w.Open(*args.Content)
}

// maxCompare is up to which size in bytes a file is compared before it is written back.
const maxCompare = 8 << 20

// restoreFile writes back a file, unless it is still what it was: then whoever has it open goes on with it.
func (x *Writer) restoreFile(ctx context.Context, b *batch, was Info, content io.Reader) error {
	if err := x.clearTheWay(ctx, was); err != nil {
		return err
	}
	now, err := lstat(was.Path)
	if err == nil && now.sameMeta(was) && was.Size <= maxCompare {
		kept, err := io.ReadAll(content)
		if err != nil {
			return err
		}
		if data, err := os.ReadFile(was.Path); err == nil && bytes.Equal(data, kept) {
			return x.cleanBeside(was.Path)
		}
		content = bytes.NewReader(kept)
	}
	f := NewFile{Path: was.Path, Mode: was.Mode, UID: was.UID, GID: was.GID, modTime: was.ModTime}
	return x.add(b, f, content, was.Size)
}

// clearTheWay puts aside what a file cannot replace.
func (x *Writer) clearTheWay(ctx context.Context, was Info) error {
	now, err := lstat(was.Path)
	if err != nil {
		return ignoreNotExist(err)
	}
	if (now.Kind == Dir || now.Kind == Other) && now.Kind != was.Kind {
		return x.putAside(ctx, was.Path, "it is in the way of what was there")
	}
	return nil
}

// restoreOther puts back a link, or the mode and owner of a directory.
func (x *Writer) restoreOther(ctx context.Context, was Info) error {
	now, err := lstat(was.Path)
	if err != nil && !isNotExist(err) {
		return err
	}
	if err := x.clearTheWay(ctx, was); err != nil {
		return err
	}
	switch {
	case was.Kind == Link && err == nil && now.sameMeta(was):
		return x.cleanBeside(was.Path)
	case was.Kind == Link:
		return x.symlink(was.Target, was.Path, was)
	case isNotExist(err):
		return &fs.PathError{Op: "put back the mode of", Path: was.Path, Err: fs.ErrNotExist}
	}
	was.ModTime = now.ModTime
	return x.setMeta(was.Path, was)
}

func restoreMeta(_ context.Context, w *runtime.Writer, args metaArgs) error {
	x := Writable(w)
	if args.Dir != "" {
		return x.restoreMetaIn(args)
	}
	var errs []error
	for _, s := range slices.Backward(args.Files) {
		now, err := lstat(string(s.Path))
		was := s.info()
		switch {
		case isNotExist(err) || err == nil && now.Kind != was.Kind:
			// It is gone, and with it what was changed.
		case err != nil:
			errs = append(errs, err)
		case now.UID != was.UID || now.GID != was.GID || now.Mode != was.Mode && now.Kind != Link:
			errs = append(errs, x.setMeta(was.Path, was))
		}
	}
	return errors.Join(errs...)
}

func undoMove(ctx context.Context, w *runtime.Writer, args movedArgs) error {
	return Writable(w).moveBack(ctx, args)
}

// makeAgain makes directories that the run had made and then removed. The undo of making them, which comes later,
// takes them away.
func (x *Writer) makeAgain(dirs []Path) error {
	for _, dir := range dirs {
		if err := x.Mkdir(string(dir), 0o700, Keep, Keep); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
