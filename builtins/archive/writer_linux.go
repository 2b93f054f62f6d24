package archive

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// sync waits until a tree is on the disk, once for all of its files.
func (u *unpacking) sync(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}
