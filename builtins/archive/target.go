package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// The kinds of permission that paths take.
const (
	readKind  = "fs.read"
	writeKind = "fs.write"
)

// target returns a path parameter as an absolute path.
func target(c *runtime.Call, name, path string) (string, error) {
	switch {
	case path == "":
		return "", fmt.Errorf("for parameter %s: the path is empty", name)
	case strings.ContainsRune(path, 0):
		return "", fmt.Errorf("for parameter %s: the path has a NUL byte", name)
	}
	return filesys.Abs(c.BaseDir(), path), nil
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

// besideOf returns the path of the sums that lie beside an archive.
func besideOf(archive string) string { return archive + ".sha256" }

// nothingAt fails if something is at a path.
func nothingAt(v *filesys.View, path string) error {
	_, err := v.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	}
	return fmt.Errorf("%s is there already, and an archive replaces nothing; choose another name, or remove it with fs.remove", path)
}

// dirAbove fails unless the directory of a path is there.
func dirAbove(v *filesys.View, path string) error {
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

// checkRoom fails unless the file system of a path has room for so many bytes.
func checkRoom(path string, size int64) error {
	room, err := filesys.SpaceAt(path)
	if err == nil && size > room.Free {
		return fmt.Errorf("there is not enough room for %s: it may take %s, and %s are free; make room on that disk",
			path, filesys.Bytes(size), filesys.Bytes(room.Free))
	}
	return err
}

// archiveAt finds the archive at a path, through links, and fails if it is none that can be read now.
func archiveAt(v *filesys.View, path string) (filesys.Info, error) {
	info, err := v.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return info, fmt.Errorf("there is no archive at %s: %w", path, fs.ErrNotExist)
	case err != nil:
		return info, err
	case info.Opaque == "" && info.Kind != filesys.File:
		return info, fmt.Errorf("%s is a %s, not an archive; name the file", path, info.Kind)
	}
	return info, nil
}
