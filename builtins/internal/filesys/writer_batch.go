package filesys

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/runtime/failpoint"
)

// batch is files that are written under temporary names and not yet on the disk. Each is handed to the disk as soon
// as it is written, and waited for at the end. 500 files of 3.6 kB on ext4 took 106 to 121 ms so, and 142 to 186 ms
// without that head start. One syncfs took 66 ms on an idle disk and 260 ms on a busy one: it waits for whatever
// else the server has to write.
type batch struct {
	roots  map[string]*os.Root // directories, held open so that nobody can put a link in their place
	drafts []draft
}

// draft is a file under its temporary name.
type draft struct {
	dir              string
	root             *os.Root
	file             *os.File
	temp, name, path string
	size             int64
}

// maxOpen is how many files a batch keeps open. A process may have 1024 by default.
const maxOpen = 128

func newBatch() *batch { return &batch{roots: map[string]*os.Root{}} }

func (b *batch) open(dir string) (*os.Root, error) {
	if r := b.roots[dir]; r != nil {
		return r, nil
	}
	r, err := os.OpenRoot(dir)
	if err == nil {
		b.roots[dir] = r
	}
	return r, err
}

// add writes what r reads under a temporary name.
func (x *Writer) add(b *batch, f NewFile, r io.Reader, size int64) error {
	if len(b.drafts) >= maxOpen || len(b.roots) >= maxOpen {
		if err := x.finish(b); err != nil {
			return err
		}
	}
	dir := filepath.Dir(f.Path)
	root, err := b.open(dir)
	if err != nil {
		return notDir(err)
	}
	d := draft{dir: dir, root: root, name: filepath.Base(f.Path), path: f.Path, size: size}
	d.temp = filepath.Base(x.temporary(f.Path, asDraft))
	if err := ignoreNotExist(root.Remove(d.temp)); err != nil {
		return err
	}
	if d.file, err = root.OpenFile(d.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return noSpace(f.Path, size, err)
	}
	b.drafts = append(b.drafts, d)
	if _, err := io.Copy(d.file, r); err != nil {
		return noSpace(f.Path, size, err)
	}
	if err := x.dress(d, f); err != nil {
		return err
	}
	startWriteback(d.file)
	return nil
}

// dress gives a draft the owner, the mode and the extended attributes that the file is to have.
func (x *Writer) dress(d draft, f NewFile) error {
	old, err := d.root.Lstat(d.name)
	switch {
	case isNotExist(err):
	case err != nil:
		return err
	default:
		i := infoOf(f.Path, old)
		if i.Kind == Dir || i.Kind == Other {
			return refuseKind(i)
		}
		if f.UID == Keep {
			f.UID = i.UID
		}
		if f.GID == Keep {
			f.GID = i.GID
		}
		if i.Kind == File {
			x.copyAttrs(f.Path, d.file)
		}
	}
	if err := x.chownDraft(d, f); err != nil {
		return err
	}
	if err := unix.Fchmod(int(d.file.Fd()), unixMode(f.Mode)); err != nil {
		return &fs.PathError{Op: "chmod", Path: f.Path, Err: err}
	}
	if !f.modTime.IsZero() {
		return d.root.Chtimes(d.temp, time.Time{}, f.modTime)
	}
	return nil
}

func (x *Writer) chownDraft(d draft, f NewFile) error {
	fi, err := d.file.Stat()
	if err != nil {
		return err
	}
	now := infoOf(f.Path, fi)
	if (f.UID == Keep || f.UID == now.UID) && (f.GID == Keep || f.GID == now.GID) {
		return nil
	}
	if err := d.file.Chown(f.UID, f.GID); err != nil {
		return fmt.Errorf("give %s to user %d, group %d: %w", f.Path, f.UID, f.GID, errors.Unwrap(err))
	}
	return nil
}

// refuseKind says why a file cannot be written at a path.
func refuseKind(i Info) error {
	if i.Kind == Dir {
		return &fs.PathError{Op: "write", Path: i.Path, Err: syscall.EISDIR}
	}
	return &fs.PathError{Op: "write", Path: i.Path, Err: errSpecial}
}

// finish waits for the disk, gives the files their names, and waits until these are on the disk as well. All
// are synced before the first is renamed: every rename would give the next sync something to commit.
func (x *Writer) finish(b *batch) error {
	for _, d := range b.drafts {
		if err := d.file.Sync(); err != nil {
			return noSpace(d.path, d.size, err)
		}
	}
	if err := failpoint.Hit("filesys.before-rename"); err != nil {
		return err
	}
	dirs := map[string]bool{}
	for len(b.drafts) > 0 {
		d := b.drafts[0]
		if err := d.root.Rename(d.temp, d.name); err != nil {
			return err
		}
		b.drafts, dirs[d.dir] = b.drafts[1:], true
		if err := d.file.Close(); err != nil {
			return err
		}
		if err := failpoint.Hit("filesys.after-rename"); err != nil {
			return err
		}
	}
	b.close()
	for _, dir := range slices.Sorted(maps.Keys(dirs)) {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return nil
}

func (b *batch) close() {
	for _, r := range b.roots {
		r.Close()
	}
	clear(b.roots)
}

// discard removes the drafts that were not given a name. After finish there are none.
func (x *Writer) discard(b *batch) {
	for _, d := range b.drafts {
		d.file.Close()
		d.root.Remove(d.temp) // should it fail, the undo of the change removes it
	}
	b.drafts = nil
	b.close()
}
