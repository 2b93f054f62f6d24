package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// unpacking makes what an archive holds: in a private directory first, which gets its name when all is on the disk.
type unpacking struct {
	*extraction
	w     *runtime.Writer
	files *filesys.Writer
	warn  func(format string, args ...any)

	root   *os.Root // the private directory
	dir    *os.Root // the one in it that was last used
	at     string   // its path
	late   []entry  // directories, which get their modes and times when they are full, and links
	owners owners
}

// newUnpacking returns what unpacks, in exchange for a run's writer.
func newUnpacking(w *runtime.Writer, x *extraction) *unpacking {
	w.Require()
	return &unpacking{extraction: x, w: w, files: filesys.Writable(w), warn: w.Warn, owners: newOwners()}
}

// unpack makes dst.
func (u *unpacking) unpack(ctx context.Context) (err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, u.files.Delete(u.temp))
		}
	}()
	if err := os.Mkdir(u.temp, 0o700); err != nil {
		return err
	}
	if u.root, err = os.OpenRoot(u.temp); err != nil {
		return err
	}
	err = u.fill(ctx)
	if err == nil {
		err = u.sync(u.root)
	}
	if err = errors.Join(err, u.close()); err != nil {
		return err
	}
	if err := failpoint.Hit("archive.before-place"); err != nil {
		return err
	}
	return u.place(ctx)
}

func (u *unpacking) close() error {
	if u.dir != nil && u.dir != u.root {
		u.dir.Close()
	}
	return u.root.Close()
}

// place gives the tree its name. A single file lies in the private directory, a packed directory in one of its own there.
func (u *unpacking) place(ctx context.Context) error {
	if err := u.clear(ctx); err != nil {
		return err
	}
	if err := u.files.Rename(ctx, filepath.Join(u.temp, content), u.dst); err != nil {
		return err
	}
	return u.files.Delete(u.temp)
}

// clear moves away the empty directory that is there.
func (u *unpacking) clear(ctx context.Context) error {
	switch {
	case !u.replace:
		return nil
	case u.aside == "":
		return u.files.Discard(ctx, u.dst)
	}
	return u.files.Rename(ctx, u.dst, u.aside)
}

// content is the name of what was packed, below the private directory.
const content = "content"

// inside returns where an entry is made, below the private directory.
func (u *unpacking) inside(e entry) string {
	if e.name == "." || !u.found.root {
		return content
	}
	return content + "/" + e.name
}

// fill makes all entries. That the archive is still the one that was checked is seen by its sums, before anything gets
// its name.
func (u *unpacking) fill(ctx context.Context) error {
	f, err := os.Open(u.real)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	found, err := scan(ctx, newReading(f, "unpack "+u.path, fi.Size(), u.w.Progress), u.make)
	if err == nil && (len(found.wrong) > 0 || found.root != u.found.root) {
		err = errors.New("it changed while it was unpacked")
	}
	if err != nil {
		return fmt.Errorf("%s: %w", u.path, err)
	}
	u.found = found
	return u.finish()
}

// finish makes what comes when all files are there.
func (u *unpacking) finish() error {
	// No file can be made through a link, since there was none.
	for _, e := range u.late {
		if e.kind == filesys.Link {
			if err := u.link(e); err != nil {
				return fmt.Errorf("unpack %s: %w", e.name, err)
			}
		}
	}
	for i := len(u.late) - 1; i >= 0; i-- {
		if e := u.late[i]; e.kind == filesys.Dir {
			if err := u.dress(e); err != nil {
				return fmt.Errorf("unpack %s: %w", e.name, err)
			}
		}
	}
	return nil
}

// make makes an entry, or the beginning of it.
func (u *unpacking) make(e entry, r io.Reader) error {
	var err error
	switch e.kind {
	case filesys.File:
		err = u.file(e, r)
	case filesys.Dir:
		u.late = append(u.late, e)
		err = u.root.Mkdir(u.inside(e), 0o700)
	default:
		u.late = append(u.late, e)
	}
	if err != nil {
		return fmt.Errorf("unpack %s: %w", e.name, err)
	}
	return nil
}

func (u *unpacking) file(e entry, r io.Reader) (err error) {
	dir, name, err := u.parent(e)
	if err != nil {
		return err
	}
	f, err := dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := io.Copy(f, r); err != nil {
		return err
	}
	uid, gid := u.owners.of(e.hdr)
	if err := f.Chown(uid, gid); err != nil {
		return err
	}
	for key, value := range e.hdr.PAXRecords {
		if name, ok := strings.CutPrefix(key, xattrPrefix); ok && carried(name) {
			if err := unix.Fsetxattr(int(f.Fd()), name, []byte(value), 0); err != nil {
				u.warn("%s: the attribute %s cannot be set: %v", filepath.Join(u.dst, e.name), name, err)
			}
		}
	}
	// After the owner and the content: both take bits of the mode away.
	if err := f.Chmod(e.hdr.FileInfo().Mode() & u.owners.bits); err != nil {
		return err
	}
	return dir.Chtimes(name, e.hdr.ModTime, e.hdr.ModTime)
}

func (u *unpacking) link(e entry) error {
	dir, name, err := u.parent(e)
	if err != nil {
		return err
	}
	if err := dir.Symlink(e.hdr.Linkname, name); err != nil {
		return err
	}
	uid, gid := u.owners.of(e.hdr)
	if err := dir.Lchown(name, uid, gid); err != nil {
		return err
	}
	d, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	at := unix.Timespec{Sec: e.hdr.ModTime.Unix(), Nsec: int64(e.hdr.ModTime.Nanosecond())}
	return unix.UtimesNanoAt(int(d.Fd()), name, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
}

// dress gives a directory that is full its owner, mode and time.
func (u *unpacking) dress(e entry) error {
	name := u.inside(e)
	uid, gid := u.owners.of(e.hdr)
	if err := u.root.Chown(name, uid, gid); err != nil {
		return err
	}
	if err := u.root.Chmod(name, e.hdr.FileInfo().Mode()&u.owners.bits); err != nil {
		return err
	}
	return u.root.Chtimes(name, e.hdr.ModTime, e.hdr.ModTime)
}

// parent opens the directory of an entry. The one before is kept open: entries of a directory follow each other.
func (u *unpacking) parent(e entry) (dir *os.Root, name string, err error) {
	at, name := path.Split(u.inside(e))
	if u.dir != nil && u.at == at {
		return u.dir, name, nil
	}
	if u.dir != nil && u.dir != u.root {
		u.dir.Close()
	}
	u.dir, u.at = u.root, at
	if at != "" {
		u.dir, err = u.root.OpenRoot(strings.TrimSuffix(at, "/"))
	}
	if err != nil {
		u.dir = nil
	}
	return u.dir, name, err
}
