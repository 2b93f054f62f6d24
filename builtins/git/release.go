package git

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// releaseFile is what git.checkout writes at the top of a directory, about itself.
const releaseFile = ".infrarun-release.json"

// maxRelease bounds it, in bytes.
const maxRelease = 1 << 20

// release is the content of releaseFile. It holds nothing that differs between two checkouts of the same commit.
type release struct {
	URL        string            `json:"url"`
	Commit     string            `json:"commit"`
	Subdir     string            `json:"subdir,omitempty"` // of the repository
	Files      int               `json:"files"`
	Submodules map[string]string `json:"submodules,omitempty"` // path to commit
}

func (r release) encode() ([]byte, error) {
	data, err := json.MarshalIndent(r, "", "  ")
	return append(data, '\n'), err
}

// parseRelease reads a releaseFile.
func parseRelease(data []byte) (release, error) {
	var r release
	if err := json.Unmarshal(data, &r); err != nil {
		return r, err
	}
	if !isHash(r.Commit) {
		return r, fmt.Errorf("%q is no commit", r.Commit)
	}
	return r, nil
}

// errNoRelease is a directory that git.checkout did not make.
var errNoRelease = errors.New("it was not made by git.checkout: it has no " + releaseFile)

// reader is what a directory is looked at through: the machine, or what a preview predicts of it.
type reader interface {
	Lstat(path string) (filesys.Info, error)
	Open(path string) (io.ReadCloser, error)
	ReadFile(path string, max int64) ([]byte, error)
}

// releaseAt returns what a directory says it is.
func releaseAt(view reader, dir string) (release, error) {
	data, err := view.ReadFile(filepath.Join(dir, releaseFile), maxRelease)
	if errors.Is(err, fs.ErrNotExist) {
		return release{}, errNoRelease
	} else if err != nil {
		return release{}, err
	}
	r, err := parseRelease(data)
	if err != nil {
		return r, fmt.Errorf("%s: %w", filepath.Join(dir, releaseFile), err)
	}
	return r, nil
}

// compare fails if a directory lacks a file of a snapshot, or has it with another content. What is there beside is
// not looked at: a build adds to a release. Permissions and owner may have been changed by later steps, but what is
// executable in the commit must be so.
//
// A checkout gives every file the time of the commit. A file that still has it, and the size, was not written to
// since; every other one is read.
func (s *snapshot) compare(ctx context.Context, view reader, dir string) error {
	return s.each(func(name string, e *entry) error {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		path := filepath.Join(dir, filepath.FromSlash(name))
		info, err := view.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is missing", name)
		} else if err != nil {
			return err
		}
		if err := info.Known(); err != nil {
			return err
		}
		return s.compareEntry(view, path, name, info, e)
	})
}

func (s *snapshot) compareEntry(view reader, path, name string, info filesys.Info, e *entry) error {
	want := filesys.File
	switch {
	case e.mode.IsDir():
		want = filesys.Dir
	case e.mode&fs.ModeSymlink != 0:
		want = filesys.Link
	}
	if info.Kind != want {
		return fmt.Errorf("%s is a %s, not a %s", name, info.Kind, want)
	}
	switch want {
	case filesys.Dir:
		return nil
	case filesys.Link:
		target, err := e.target()
		if err == nil && info.Target != target {
			err = fmt.Errorf("the link %s leads to %s, not to %s", name, info.Target, target)
		}
		return err
	}
	size, err := e.size()
	switch {
	case err != nil:
		return err
	case info.Size != size:
		return fmt.Errorf("%s has %d bytes, not %d", name, info.Size, size)
	case e.mode&0o100 != 0 && info.Mode&0o100 == 0:
		return fmt.Errorf("%s is not executable", name)
	case info.ModTime.Equal(s.when):
		return nil
	}
	same, err := e.sameContent(view, path, size)
	if err == nil && !same {
		err = fmt.Errorf("%s has another content", name)
	}
	return err
}

// sameContent reports whether a file of the right size has the content of an entry.
func (e *entry) sameContent(view reader, path string, size int64) (bool, error) {
	f, err := view.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	want := e.hash
	if e.data != nil {
		want = plumbing.ComputeHash(plumbing.BlobObject, e.data)
	}
	sum := plumbing.NewHasher(plumbing.BlobObject, size)
	if _, err := io.Copy(sum, f); err != nil {
		return false, fmt.Errorf("read %s: %w", path, err)
	}
	return sum.Sum() == want, nil
}
