package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/scratch"
	"github.com/infrarun/infrarun/runtime"
)

// newAccess returns how this call reads databases.
func newAccess(r *runtime.Reader, timeout runtime.Seconds) access {
	return access{copiesBelow(r.Cache()), timeout.Duration}
}

// copiesBelow is where private copies of databases are for as long as they are read.
func copiesBelow(cache string) scratch.Place {
	return scratch.Place{Dir: filepath.Join(cache, "sqlite"), For: "a copy of the database"}
}

// source is a database that is to be read.
type source struct {
	view *filesys.View
	info filesys.Info
	// path is where it really is; "" if it is not on the disk but predicted.
	path string
}

// readable looks for the database that a builtin is to look at, if the recipe may read it.
func readable(c *runtime.Call, name string) (source, error) {
	view, path := filesys.Read(c.Reader()), filesys.Abs(c.BaseDir(), name)
	if err := c.Need(view.Needs("fs.read", path)...); err != nil {
		return source{}, err
	}
	return findSource(view, path)
}

// findSource looks for the database at path, through links. What a preview cannot know of it is told by info.Known.
func findSource(v *filesys.View, path string) (source, error) {
	info, err := v.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return source{}, fmt.Errorf("there is no database at %s: %w", path, fs.ErrNotExist)
	} else if err != nil {
		return source{}, err
	}
	s := source{view: v, info: info}
	if info.Opaque != "" {
		return s, nil
	}
	if info.Kind != filesys.File {
		return source{}, fmt.Errorf("%s is a %s, not a database; name the file", path, info.Kind)
	}
	if !v.Predicted(path) {
		s.path, err = v.Follow(path)
	}
	return s, err
}

// size returns how large the database is, with its log, in bytes.
func (s source) size() (int64, error) {
	if s.path == "" {
		return s.info.Size, nil
	}
	wal, err := sizeOf(s.path + walSuffix)
	return s.info.Size + max(0, wal), err
}
