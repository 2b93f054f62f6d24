package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// newAccess returns how this call reads databases.
func newAccess(r *runtime.Reader, timeout runtime.Seconds) access {
	return access{scratch: filepath.Join(r.Cache(), "sqlite"), timeout: timeout.Duration}
}

// needsFor returns the permission that a path takes: none in a private directory of the run, and in a preview also that
// for where predicted links lead.
func needsFor(v *filesys.View, kind, path string) []policy.Need {
	if v.InTemp(path) {
		return nil
	}
	needs := []policy.Need{{Kind: kind, Target: path}}
	if real := v.Redirect(path); real != path {
		needs = append(needs, policy.Need{Kind: kind, Target: real})
	}
	return needs
}

// source is a database that is to be read.
type source struct {
	view *filesys.View
	info filesys.Info
	// path is where it really is; "" if it is not on the disk but predicted.
	path string
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

// checkRoom fails unless the file system of a path has room for so many bytes.
func checkRoom(path string, size int64) error {
	room, err := filesys.SpaceAt(path)
	if err == nil && size > room.Free {
		return fmt.Errorf("there is not enough room for %s: it needs %s, and %s are free; make room on that disk",
			path, filesys.Bytes(size), filesys.Bytes(room.Free))
	}
	return err
}

// checkDir fails unless the directory of a path is there.
func checkDir(v *filesys.View, path string) error {
	dir := filepath.Dir(path)
	info, err := v.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory %s does not exist; make it with fs.mkdir", dir)
	case err != nil:
		return err
	case info.Kind != filesys.Dir:
		return fmt.Errorf("%s is no directory", dir)
	}
	return nil
}
