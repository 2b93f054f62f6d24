package filesys

import (
	"fmt"
	"io/fs"
	"strings"
)

// Rename predicts that what is at one path, with all below it, is at another one instead.
func (o *Overlay) Rename(from, to string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	src, err := o.lookup(from, false)
	if err != nil {
		return err
	}
	dst, err := o.resolve(to, false)
	if err != nil {
		return err
	}
	if within(dst.path(), src.path()) {
		return fmt.Errorf("predict %s: it cannot be moved into itself, to %s", from, to)
	}
	moved := src.last()
	if err := o.enter(src, from, nil); err != nil {
		return err
	}
	// Both trails may go through directories that only now are in the overlay: resolve again.
	if dst, err = o.resolve(to, false); err != nil {
		return err
	}
	return o.enter(dst, to, moved)
}

// CopyTree predicts at one path a copy of the file or tree at another one, in the place of what is there.
func (o *Overlay) CopyTree(from, to string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	src, err := o.lookup(from, false)
	if err != nil {
		return err
	}
	copied := src.last().clone()
	dst, err := o.resolve(to, false)
	if err != nil {
		return err
	}
	return o.enter(dst, to, copied)
}

// CopyFile predicts at one path a file with the content of another one, whose links are followed.
func (o *Overlay) CopyFile(from, to string, mode fs.FileMode) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	src, err := o.lookup(from, true)
	if err != nil {
		return err
	}
	copied := &node{info: src.last().info, base: src.last().base}
	copied.info.UID, copied.info.GID = Keep, Keep
	copied.setMeta(mode, Keep, Keep)
	dst, err := o.resolve(to, false)
	if err != nil {
		return err
	}
	return o.enter(dst, to, copied)
}

// within reports whether a clean path is dir or lies below it.
func within(path, dir string) bool {
	return path == dir || dir == "/" || strings.HasPrefix(path, dir+"/")
}
