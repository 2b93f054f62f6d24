package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"time"
)

// maxTarget is how long the target of a link may be, as in the kernel.
const maxTarget = 4096

// treeFS shows a snapshot as a file system: a preview mounts it where a run would check it out. Contents are read
// from the repository when they are looked at.
type treeFS struct{ snap *snapshot }

var _ interface {
	fs.StatFS
	fs.ReadDirFS
	fs.ReadLinkFS
} = treeFS{}

// Open opens a file or directory, through links within the tree.
func (t treeFS) Open(name string) (fs.File, error) {
	e, err := t.follow("open", name)
	if err != nil {
		return nil, err
	}
	info, err := t.info(e)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	if e.mode.IsDir() {
		entries, err := t.list(e)
		return &openDir{info: info, entries: entries}, err
	}
	content, err := e.open()
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return &openFile{content, info}, nil
}

// Stat describes what a name leads to.
func (t treeFS) Stat(name string) (fs.FileInfo, error) { return t.describe("stat", name, t.follow) }

// Lstat describes what a name is.
func (t treeFS) Lstat(name string) (fs.FileInfo, error) { return t.describe("lstat", name, t.find) }

func (t treeFS) describe(op, name string, find func(op, name string) (*entry, error)) (fs.FileInfo, error) {
	e, err := find(op, name)
	if err != nil {
		return nil, err
	}
	info, err := t.info(e)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return info, nil
}

// ReadDir lists a directory.
func (t treeFS) ReadDir(name string) ([]fs.DirEntry, error) {
	e, err := t.follow("readdir", name)
	if err != nil {
		return nil, err
	}
	if !e.mode.IsDir() {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a directory")}
	}
	return t.list(e)
}

// ReadLink returns the target of a link.
func (t treeFS) ReadLink(name string) (string, error) {
	e, err := t.find("readlink", name)
	if err != nil {
		return "", err
	}
	if e.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	target, err := e.target()
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return target, nil
}

func (t treeFS) find(op, name string) (*entry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	e, err := t.snap.find(name)
	if err != nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: err}
	}
	return e, nil
}

// follow finds what a name leads to. A link out of the tree leads nowhere here.
func (t treeFS) follow(op, name string) (*entry, error) {
	at := name
	for range 40 {
		e, err := t.find(op, at)
		if err != nil || e.mode&fs.ModeSymlink == 0 {
			return e, err
		}
		target, err := e.target()
		if err != nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: err}
		}
		if at = path.Join(path.Dir(at), target); path.IsAbs(target) || !fs.ValidPath(at) {
			break
		}
	}
	return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
}

func (t treeFS) info(e *entry) (entryInfo, error) {
	size, err := e.size()
	return entryInfo{e, size, t.snap.when}, err
}

func (t treeFS) list(e *entry) ([]fs.DirEntry, error) {
	entries := make([]fs.DirEntry, len(e.children))
	for i, c := range e.children {
		info, err := t.info(c)
		if err != nil {
			return nil, err
		}
		entries[i] = fs.FileInfoToDirEntry(info)
	}
	return entries, nil
}

// open returns the content of a file.
func (e *entry) open() (io.ReadCloser, error) {
	if e.data != nil {
		return io.NopCloser(bytes.NewReader(e.data)), nil
	}
	content, _, err := e.from.blob(e.hash)
	return content, err
}

// size returns the size of a file in bytes.
func (e *entry) size() (int64, error) {
	switch {
	case e.mode.IsDir():
		return 0, nil
	case e.data != nil:
		return int64(len(e.data)), nil
	}
	return e.from.size(e.hash)
}

// target returns where a link points to.
func (e *entry) target() (string, error) {
	data, err := e.from.readBlob(e.hash, maxTarget)
	if err == nil && (len(data) == 0 || bytes.IndexByte(data, 0) >= 0) {
		err = fmt.Errorf("the link %s points to %q", e.name, data)
	}
	return string(data), err
}

// entryInfo describes an entry.
type entryInfo struct {
	*entry
	bytes int64
	when  time.Time
}

func (i entryInfo) Name() string       { return i.name }
func (i entryInfo) Size() int64        { return i.bytes }
func (i entryInfo) Mode() fs.FileMode  { return i.mode }
func (i entryInfo) ModTime() time.Time { return i.when }
func (i entryInfo) IsDir() bool        { return i.mode.IsDir() }
func (i entryInfo) Sys() any           { return nil }

// openFile is a file that is being read.
type openFile struct {
	io.ReadCloser
	info entryInfo
}

func (f *openFile) Stat() (fs.FileInfo, error) { return f.info, nil }

// openDir is a directory that is being listed.
type openDir struct {
	info    entryInfo
	entries []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.name, Err: errors.New("is a directory")}
}

// ReadDir returns the next n entries, all that are left for n <= 0.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(d.entries) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(d.entries) {
		n = len(d.entries)
	}
	next := d.entries[:n]
	d.entries = d.entries[n:]
	return next, nil
}
