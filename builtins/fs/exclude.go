package fs

import (
	"fmt"
	"path"
	"strings"
)

// excludes are the patterns of what is left out of a tree: for a name anywhere in it, or for a path from its root on.
type excludes []string

// readExcludes refuses what is no pattern.
func readExcludes(patterns []string) (excludes, error) {
	var e excludes
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return nil, fmt.Errorf("exclude: %q is no pattern", p)
		}
		e = append(e, strings.TrimSuffix(p, "/"))
	}
	return e, nil
}

// match reports whether a path, relative to the root of the tree, is left out.
func (e excludes) match(rel string) bool {
	for _, p := range e {
		if byPath, _ := path.Match(p, rel); byPath {
			return true
		}
		if byName, _ := path.Match(p, path.Base(rel)); byName && rel != "." {
			return true
		}
	}
	return false
}
