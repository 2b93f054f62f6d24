package fetch

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncTree waits until a tree is on the disk, once for all of its files.
func syncTree(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(d.Fd())), d.Close())
}
