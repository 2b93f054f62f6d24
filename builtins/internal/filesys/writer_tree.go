package filesys

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// Delete deletes a file or tree for good. It is for what this run itself has made: everything else is moved
// to the trash.
func (x *Writer) Delete(path string) error {
	if err := x.deleteTree(path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// deleteTree deletes a file or tree, if there is one. It follows no link and does not reach into what is
// mounted below.
func (x *Writer) deleteTree(path string) error {
	i, err := lstat(path)
	if err != nil {
		return ignoreNotExist(err)
	}
	if i.Kind != Dir {
		return ignoreNotExist(os.Remove(path))
	}
	real, err := resolveParent(path)
	if err != nil {
		return err
	}
	if err := refuseMounts(real); err != nil {
		return err
	}
	err = os.RemoveAll(path)
	if errors.Is(err, fs.ErrPermission) {
		// A module cache, say, has directories that not even their owner may write to.
		x.openDirs(path)
		err = os.RemoveAll(path)
	}
	return err
}

// openDirs makes the directories of a tree writable for their owner, as far as that can be done.
func (x *Writer) openDirs(root string) {
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			_ = x.Chmod(path, 0o700)
		}
		return nil
	})
}

// copyExactly copies a file or tree with all that it has: modes, owners, times, attributes, links hard and soft,
// also pipes, sockets and devices. The copy is on the disk when it returns.
func (x *Writer) copyExactly(ctx context.Context, from, to string) error {
	return x.copyNode(ctx, from, to, map[inode]string{})
}

// inode identifies a file under all of its names.
type inode struct{ dev, ino uint64 }

func (x *Writer) copyNode(ctx context.Context, from, to string, seen map[inode]string) error {
	if err := stopped(ctx); err != nil {
		return err
	}
	i, err := lstat(from)
	if err != nil {
		return err
	}
	switch i.Kind {
	case Dir:
		return x.copyDir(ctx, i, from, to, seen)
	case Link:
		if err := os.Symlink(i.Target, to); err != nil {
			return noSpace(to, 0, err)
		}
		return x.setMeta(to, i)
	}
	id, first, err := firstName(from, to, seen)
	if err != nil {
		return err
	}
	if first != to {
		return os.Link(first, to)
	}
	seen[id] = to
	if i.Kind == File {
		return x.copyContent(ctx, i, from, to)
	}
	return x.copySpecial(i, from, to)
}

// firstName returns under which name a file with several has been copied already; to if it has not.
func firstName(from, to string, seen map[inode]string) (inode, string, error) {
	fi, err := os.Lstat(from)
	if err != nil {
		return inode{}, "", err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok || st.Nlink < 2 {
		return inode{}, to, nil
	}
	id := inode{uint64(st.Dev), st.Ino}
	if first, ok := seen[id]; ok {
		return id, first, nil
	}
	return id, to, nil
}

func (x *Writer) copyDir(ctx context.Context, i Info, from, to string, seen map[inode]string) error {
	if err := os.Mkdir(to, 0o700); err != nil {
		return noSpace(to, 0, err)
	}
	names, err := readNames(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := x.copyNode(ctx, join(from, name), join(to, name), seen); err != nil {
			return err
		}
	}
	x.copyAllAttrs(from, to)
	if err := syncDir(to); err != nil {
		return err
	}
	return x.setMeta(to, i)
}

func (x *Writer) copyContent(ctx context.Context, i Info, from, to string) error {
	src, err := openRegular(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return noSpace(to, i.Size, err)
	}
	_, err = io.Copy(dst, &stoppable{ctx, src})
	if err == nil {
		x.copyAllAttrs(from, to)
		err = x.setMeta(to, i)
	}
	if err == nil {
		err = dst.Sync()
	}
	return noSpace(to, i.Size, errors.Join(err, dst.Close()))
}

// copySpecial makes a pipe, a socket's name or a device anew.
func (x *Writer) copySpecial(i Info, from, to string) error {
	var st unix.Stat_t
	if err := unix.Lstat(from, &st); err != nil {
		return &fs.PathError{Op: "lstat", Path: from, Err: err}
	}
	if err := unix.Mknod(to, uint32(st.Mode), int(st.Rdev)); err != nil {
		return fmt.Errorf("copy the special file %s: %w", from, err)
	}
	return x.setMeta(to, i)
}
