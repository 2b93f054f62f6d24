package fetch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// fileMaker makes what fetch.file is to make.
type fileMaker struct {
	*fetchFile
	w     *runtime.Writer
	files *filesys.Writer
}

// newFileMaker returns it in exchange for a run's writer.
func newFileMaker(w *runtime.Writer, x *fetchFile) *fileMaker {
	w.Require()
	return &fileMaker{x, w, filesys.Writable(w)}
}

// make makes the file and returns its size.
func (m *fileMaker) make(ctx context.Context) (int64, error) {
	if m.action == chmod {
		return m.old.Size, m.files.Chmod(m.dst, m.mode)
	}
	size, err := m.write(ctx)
	if err != nil {
		return 0, nothingLeft(err, m.files.Delete(m.draft))
	}
	if err := failpoint.Hit("fetch.file-before-rename"); err != nil {
		return 0, err
	}
	if m.action == create {
		return size, m.files.Rename(ctx, m.draft, m.dst)
	}
	if err := os.Rename(m.draft, m.dst); err != nil {
		return 0, err
	}
	return size, syncDir(filepath.Dir(m.dst))
}

// write downloads to the draft, verifies the sum, and waits until it is on the disk.
func (m *fileMaker) write(ctx context.Context) (size int64, err error) {
	f, err := os.OpenFile(m.draft, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := m.into(ctx, f, m.w); err != nil {
		return 0, err
	}
	if err := failpoint.Hit("fetch.file-downloaded"); err != nil {
		return 0, err
	}
	if err := m.files.Chmod(m.draft, m.mode); err != nil {
		return 0, err
	}
	fi, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return fi.Size(), f.Sync()
}

// nothingLeft is the error of a change of which nothing is left, if it could be cleaned up: then there is nothing to undo.
func nothingLeft(err, cleaning error) error {
	if cleaning != nil {
		return errors.Join(err, cleaning)
	}
	return runtime.NotApplied(err)
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// explain says of a full disk how much room there is.
func explain(path string, err error) error {
	if !errors.Is(err, syscall.ENOSPC) && !errors.Is(err, syscall.EDQUOT) {
		return err
	}
	room, rerr := filesys.SpaceAt(path)
	if rerr != nil {
		return err
	}
	return fmt.Errorf("there is no more room for %s (%s free); make room on that disk: %w", path, filesys.Bytes(room.Free), err)
}
