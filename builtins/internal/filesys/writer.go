package filesys

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/runtime"
)

// Writer changes the file system. Every method takes absolute paths, follows no link in the last component,
// and returns when what it did is on the disk.
type Writer struct {
	w   *runtime.Writer
	own *ownership
}

// Writable returns the file system to change, in exchange for a run's writer.
func Writable(w *runtime.Writer) *Writer {
	w.Require()
	return &Writer{w, ownershipOf(w.World())}
}

// The purposes of temporary names.
const (
	asDraft = "draft" // a file that is being written
	asPart  = "part"  // a tree that is being copied from another file system
	asTomb  = "tomb"  // a tree whose copy is complete and that is being deleted
	asBack  = "back"  // a tree that is being copied back
)

// temporary returns a name beside path, of a purpose of this package.
func (x *Writer) temporary(path, purpose string) string { return Beside(x.w.RunID(), path, purpose) }

// Beside returns a name beside path for what is not, or not any more, what is to be found under path. It follows from the
// run, the path and the purpose, so that an undo in another process finds what a crash has left.
func Beside(run, path, purpose string) string {
	sum := sha256.Sum256([]byte(run + "\x00" + purpose + "\x00" + filepath.Base(path)))
	return filepath.Join(filepath.Dir(path), ".infrarun-"+hex.EncodeToString(sum[:8]))
}

// Chmod sets the mode of a file or directory. Of a link it is an error: a link has none.
func (x *Writer) Chmod(path string, mode fs.FileMode) error {
	err := unix.Fchmodat(unix.AT_FDCWD, path, unixMode(mode), unix.AT_SYMLINK_NOFOLLOW)
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.EPERM) {
		// A kernel before 6.6 cannot refuse to follow a link, and a container's filter may not know the call that can:
		// look first, then.
		var fi fs.FileInfo
		if fi, err = os.Lstat(path); err == nil && fi.Mode()&fs.ModeSymlink != 0 {
			err = errors.New("is a symbolic link, which has no mode of its own")
		}
		if err == nil {
			err = unix.Chmod(path, unixMode(mode))
		}
	}
	if err != nil {
		return &fs.PathError{Op: "chmod", Path: path, Err: err}
	}
	return nil
}

// Chown sets the owner of a file, directory or link; [Keep] keeps the user or the group. Setuid and setgid,
// which the system takes away from a file that changes hands, are set again.
func (x *Writer) Chown(path string, uid, gid int) error {
	before, err := lstat(path)
	if err != nil {
		return err
	}
	if (uid == Keep || uid == before.UID) && (gid == Keep || gid == before.GID) {
		return nil
	}
	if err := os.Lchown(path, uid, gid); err != nil {
		return err
	}
	if before.Kind == File && before.Mode&(fs.ModeSetuid|fs.ModeSetgid) != 0 {
		return x.Chmod(path, before.Mode)
	}
	return nil
}

// setMeta gives a path mode, owner and, unless it is zero, time of change. The order matters: a change of
// owner takes bits of the mode away.
func (x *Writer) setMeta(path string, i Info) error {
	if err := os.Lchown(path, i.UID, i.GID); err != nil {
		return err
	}
	if i.Kind != Link {
		if err := x.Chmod(path, i.Mode); err != nil {
			return err
		}
	}
	return x.setTime(path, i)
}

func (x *Writer) setTime(path string, i Info) error {
	if i.ModTime.IsZero() {
		return nil
	}
	at := unix.NsecToTimespec(i.ModTime.UnixNano())
	err := unix.UtimesNanoAt(unix.AT_FDCWD, path, []unix.Timespec{at, at}, unix.AT_SYMLINK_NOFOLLOW)
	if err != nil {
		return &fs.PathError{Op: "set the time of", Path: path, Err: err}
	}
	return nil
}

// Mkdir makes one directory with this mode, whatever the umask.
func (x *Writer) Mkdir(path string, mode fs.FileMode, uid, gid int) error {
	if err := os.Mkdir(path, 0o700); err != nil {
		return noSpace(path, 0, err)
	}
	if uid != Keep || gid != Keep {
		if err := os.Lchown(path, uid, gid); err != nil {
			return err
		}
	}
	if err := x.Chmod(path, mode); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// MkdirAll makes a directory and those that are missing above it, which get the mode 0755 and no particular
// owner. It returns which were made, outermost first; none if the directory is there already.
func (x *Writer) MkdirAll(path string, mode fs.FileMode, uid, gid int) (created []string, err error) {
	missing, err := missingDirs(path)
	if err != nil {
		return nil, err
	}
	for i, dir := range missing {
		if i == len(missing)-1 {
			err = x.Mkdir(dir, mode, uid, gid)
		} else {
			err = x.Mkdir(dir, 0o755, Keep, Keep)
		}
		if errors.Is(err, fs.ErrExist) && i < len(missing)-1 {
			continue // made side by side with this
		}
		if err != nil {
			return created, err
		}
		created = append(created, dir)
	}
	return created, nil
}

// missingDirs lists path and what is above it, outermost first, as far as it does not exist.
func missingDirs(path string) ([]string, error) {
	_, err := stat(path)
	if err == nil {
		return nil, nil
	}
	if !isNotExist(err) || path == "/" {
		return nil, err
	}
	above, err := missingDirs(filepath.Dir(path))
	return append(above, path), err
}

// Symlink makes a link, atomically in the place of a link or file that is there. A directory is not replaced.
func (x *Writer) Symlink(target, path string) error {
	return x.symlink(target, path, Info{UID: Keep, GID: Keep})
}

func (x *Writer) symlink(target, path string, meta Info) error {
	temp := x.temporary(path, asDraft)
	if err := x.cleanDraft(path); err != nil {
		return err
	}
	err := os.Symlink(target, temp)
	if err == nil && meta.UID != Keep {
		meta.Kind = Link
		err = x.setMeta(temp, meta)
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(noSpace(path, 0, err), x.cleanDraft(path))
	}
	return syncDir(filepath.Dir(path))
}

// cleanDraft removes what an interrupted write has left beside path.
func (x *Writer) cleanDraft(path string) error {
	return ignoreNotExist(os.Remove(x.temporary(path, asDraft)))
}

// syncDir makes the names in a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		if errors.Is(err, fs.ErrPermission) {
			return nil // a directory that one may write to but not read: the journal's record has to do
		}
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// stopped returns why the work is to stop, nil if it is not.
func stopped(ctx context.Context) error { return context.Cause(ctx) }
