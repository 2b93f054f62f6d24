package filesys

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"
)

// source is where a node's content is from: the entries of a directory, the bytes of a file.
type source interface {
	// child returns the entry of a directory; its error is fs.ErrNotExist if there is none.
	child(name string) (*node, error)
	names() ([]string, error)
	open() (io.ReadCloser, error)
}

// onDisk is what is really there. A preview changes nothing, so it stays what it is.
type onDisk string

func (d onDisk) child(name string) (*node, error) {
	full := filepath.Join(string(d), name)
	info, err := lstat(full)
	if err != nil {
		return nil, err
	}
	return &node{info: info, base: onDisk(full)}, nil
}

func (d onDisk) names() ([]string, error) { return readNames(string(d)) }

func (d onDisk) open() (io.ReadCloser, error) { return openRegular(string(d)) }

// lstat describes a path of the machine without following it.
func lstat(path string) (Info, error) {
	fi, err := os.Lstat(path)
	if err != nil {
		return Info{}, notDir(err)
	}
	i := infoOf(path, fi)
	if i.Kind == Link {
		i.Target, err = os.Readlink(path)
	}
	return i, err
}

// stat describes what a path of the machine leads to.
func stat(path string) (Info, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return Info{}, notDir(err)
	}
	return infoOf(path, fi), nil
}

// notDir makes of "not a directory" on the way what it means to a recipe: there is no such file.
func notDir(err error) error {
	if !errors.Is(err, syscall.ENOTDIR) {
		return err
	}
	missing := &fs.PathError{Op: "open", Err: fs.ErrNotExist}
	var at *fs.PathError
	if errors.As(err, &at) {
		missing.Op, missing.Path = at.Op, at.Path
	}
	return missing
}

// readNames lists a directory of the machine, sorted.
func readNames(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// openRegular opens a file for reading and nothing else: a pipe would make the reader wait.
func openRegular(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, notDir(err)
	}
	fi, err := f.Stat()
	switch {
	case err != nil:
	case fi.IsDir():
		err = &fs.PathError{Op: "read", Path: path, Err: syscall.EISDIR}
	case !fi.Mode().IsRegular():
		err = &fs.PathError{Op: "read", Path: path, Err: errSpecial}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// inTree is a predicted tree that is read when it is looked at, such as the files of a commit.
type inTree struct {
	fsys fs.FS
	name string
}

func (t inTree) child(name string) (*node, error) {
	full := path.Join(t.name, name)
	if !fs.ValidPath(full) {
		return nil, &fs.PathError{Op: "open", Path: full, Err: fs.ErrNotExist}
	}
	fi, err := fs.Lstat(t.fsys, full)
	if err != nil {
		return nil, err
	}
	n := &node{info: infoOf(full, fi), base: inTree{t.fsys, full}}
	n.info.UID, n.info.GID = os.Geteuid(), os.Getegid()
	if n.info.Kind == Link {
		n.info.Target, err = fs.ReadLink(t.fsys, full)
	}
	return n, err
}

func (t inTree) names() ([]string, error) {
	entries, err := fs.ReadDir(t.fsys, t.name)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

func (t inTree) open() (io.ReadCloser, error) { return t.fsys.Open(t.name) }

// inMemory is the predicted content of a file.
type inMemory []byte

func (m inMemory) open() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(m)), nil }
func (m inMemory) child(string) (*node, error)  { return nil, fs.ErrNotExist }
func (m inMemory) names() ([]string, error)     { return nil, nil }

// nothing is the content of a directory that a preview has made.
type nothing struct{}

func (nothing) open() (io.ReadCloser, error) { return nil, syscall.EISDIR }
func (nothing) child(string) (*node, error)  { return nil, fs.ErrNotExist }
func (nothing) names() ([]string, error)     { return nil, nil }

// opaque is content that a preview cannot know.
type opaque struct{ what string }

func (o opaque) open() (io.ReadCloser, error) { return nil, unknown("content", o.what) }
func (o opaque) names() ([]string, error)     { return nil, unknown("list of files", o.what) }

// child returns an entry that may be there or not.
func (o opaque) child(string) (*node, error) {
	return &node{info: Info{Opaque: o.what}, base: o, maybe: true}, nil
}
