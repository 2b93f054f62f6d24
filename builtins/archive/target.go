package archive

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
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
