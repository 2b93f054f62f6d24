//go:build !linux

package git

import (
	"errors"
	"os"
	"path/filepath"
)

// sync waits until a tree is on the disk, file by file.
func (x *writer) sync(dir string, snap *snapshot) error {
	err := snap.each(func(name string, e *entry) error {
		if !e.mode.IsDir() && !e.mode.IsRegular() {
			return nil
		}
		f, err := os.Open(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
	return errors.Join(err, syncDir(dir))
}

// rename gives a tree its name.
func (x *writer) rename(from, to string) error { return os.Rename(from, to) }
