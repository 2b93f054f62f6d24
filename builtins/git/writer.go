package git

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// writer writes snapshots to the disk.
type writer struct {
	w    *runtime.Writer
	snap *snapshot
	bar  events.Bar
	last time.Time // when the bar was shown
}

// newWriter returns what can write, in exchange for a run's writer.
func newWriter(w *runtime.Writer) *writer {
	w.Require()
	return &writer{w: w}
}

// checkOut writes a snapshot under a temporary name, waits until it is on the disk, and gives it its name. Title is
// shown while it works.
func (x *writer) checkOut(ctx context.Context, snap *snapshot, temp, dest, title string) (err error) {
	x.snap = snap
	x.bar = events.Bar{What: "check out " + title, Total: int64(snap.files), Unit: "files"}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	if err := os.Mkdir(temp, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(temp)
	if err != nil {
		return err
	}
	err = x.directory(ctx, root, snap.root, "")
	if err == nil {
		err = root.Chmod(".", 0o755)
	}
	if err = errors.Join(err, root.Close()); err != nil {
		return err
	}
	x.bar.Done = true
	x.w.Progress(x.bar)
	if err := x.sync(temp, snap); err != nil {
		return fmt.Errorf("write %s to the disk: %w", dest, err)
	}
	if err := failpoint.Hit("git.before-rename"); err != nil {
		return err
	}
	if err := x.rename(temp, dest); err != nil {
		return err
	}
	if err := syncDir(filepath.Dir(dest)); err != nil {
		return err
	}
	return failpoint.Hit("git.after-rename")
}

// directory writes what is in a directory. Each is opened as a root of its own, so that no name and no link leads
// out of it.
func (x *writer) directory(ctx context.Context, dir *os.Root, e *entry, at string) error {
	for _, c := range e.children {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		name := path.Join(at, c.name)
		var err error
		switch {
		case c.mode.IsDir():
			err = x.subdirectory(ctx, dir, c, name)
		case c.mode&fs.ModeSymlink != 0:
			err = x.link(dir, c)
		default:
			err = x.file(ctx, dir, c)
		}
		if err != nil && !c.mode.IsDir() {
			return fmt.Errorf("%s: %w", name, err)
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (x *writer) subdirectory(ctx context.Context, dir *os.Root, e *entry, name string) error {
	if err := dir.Mkdir(e.name, 0o700); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	sub, err := dir.OpenRoot(e.name)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	err = x.directory(ctx, sub, e, name)
	if err == nil {
		err = sub.Chmod(".", 0o755)
	}
	return errors.Join(err, sub.Close())
}

func (x *writer) link(dir *os.Root, e *entry) error {
	target, err := e.target()
	if err == nil {
		err = dir.Symlink(target, e.name)
	}
	x.written()
	return err
}

// file writes a file and checks that its content is what the commit names.
func (x *writer) file(ctx context.Context, dir *os.Root, e *entry) (err error) {
	content, err := e.open()
	if err != nil {
		return err
	}
	defer content.Close()
	size, err := e.size()
	if err != nil {
		return err
	}
	f, err := dir.OpenFile(e.name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := plumbing.NewHasher(plumbing.BlobObject, size)
	_, err = io.Copy(io.MultiWriter(f, sum), &stoppable{ctx, content})
	if err == nil {
		err = f.Chmod(e.mode.Perm())
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if e.data == nil && sum.Sum() != e.hash {
		return &damage{e.from.where, fmt.Errorf("object %s has another content", e.hash)}
	}
	x.written()
	return dir.Chtimes(e.name, x.snap.when, x.snap.when)
}

// written counts a file.
func (x *writer) written() {
	x.bar.Current = min(x.bar.Current+1, x.bar.Total)
	if time.Since(x.last) > 100*time.Millisecond {
		x.last = time.Now()
		x.w.Progress(x.bar)
	}
}

// stoppable is a reader that ends with the context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s *stoppable) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
