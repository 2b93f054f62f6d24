package git

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sync waits until a tree is on the disk, once for all of its files.
func (x *writer) sync(dir string, _ *snapshot) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}

// rename gives a tree its name, and fails if something has it by now.
func (x *writer) rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if err == unix.EINVAL || err == unix.ENOSYS {
		return os.Rename(from, to) // a file system that cannot promise it
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
