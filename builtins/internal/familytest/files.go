package familytest

import (
	"fmt"
	"io/fs"
)

// Files are files in memory, by their absolute paths, for tests of what reads through an interface and needs no recipe.
type Files map[string]string

// ReadFile returns a file, or fs.ErrNotExist.
func (f Files) ReadFile(path string) ([]byte, error) {
	text, ok := f[path]
	if !ok {
		return nil, fmt.Errorf("open %s: %w", path, fs.ErrNotExist)
	}
	return []byte(text), nil
}
