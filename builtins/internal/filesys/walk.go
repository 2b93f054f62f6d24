package filesys

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// join is filepath.Join for a clean directory and a single name.
func join(dir, name string) string {
	if dir == "/" {
		return "/" + name
	}
	return dir + "/" + name
}

// evalLinks follows all links of a path.
func evalLinks(path string) (string, error) {
	real, err := filepath.EvalSymlinks(path)
	return real, notDir(err)
}

// resolveParent follows all links but that in the last component, which need not exist.
func resolveParent(path string) (string, error) {
	if path == "/" {
		return path, nil
	}
	dir, err := evalLinks(filepath.Dir(path))
	if err != nil {
		return "", err
	}
	return join(dir, filepath.Base(path)), nil
}

// Walk calls fn for root and, if that is a directory, for all below it, each directory before its entries,
// entries by name. Links are not followed. If fn returns [fs.SkipDir] for a directory its entries are left
// out.
func (v *View) Walk(ctx context.Context, root string, fn func(Info) error) error {
	i, err := v.Lstat(root)
	if err != nil {
		return err
	}
	err = v.walk(ctx, i, fn)
	if err == fs.SkipDir {
		return nil
	}
	return err
}

func (v *View) walk(ctx context.Context, i Info, fn func(Info) error) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := fn(i); err != nil || i.Kind != Dir {
		return err
	}
	entries, err := v.ReadDir(i.Path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := v.walk(ctx, e, fn); err != nil && err != fs.SkipDir {
			return err
		}
	}
	return nil
}

// HasGlob reports whether a path has a character with a meaning in patterns.
func HasGlob(p string) bool { return strings.ContainsAny(p, "*?[") }

// GlobBase returns the directory of a pattern: what precedes the first component with a glob.
func GlobBase(pattern string) string {
	for HasGlob(pattern) {
		pattern = filepath.Dir(pattern)
	}
	return pattern
}

// Glob returns the paths that match an absolute pattern, sorted. * ? and [a-z] stay within a component; **
// stands for any number of directories, and does not follow links. What cannot be looked into is an error;
// what is not there matches nothing.
func (v *View) Glob(ctx context.Context, pattern string) ([]string, error) {
	if _, err := path.Match(pattern, ""); err != nil {
		return nil, err
	}
	base := GlobBase(pattern)
	rest := strings.Split(strings.TrimPrefix(strings.TrimPrefix(pattern, base), "/"), "/")
	if base == pattern {
		rest = nil
	}
	var found []string
	if err := v.glob(ctx, base, rest, &found); err != nil {
		return nil, err
	}
	slices.Sort(found)
	return slices.Compact(found), nil
}

func (v *View) glob(ctx context.Context, at string, rest []string, found *[]string) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if len(rest) == 0 {
		_, err := v.Lstat(at)
		if err == nil {
			*found = append(*found, at)
		}
		return ignoreNotExist(err)
	}
	i, err := v.Stat(at)
	if err != nil || i.Kind != Dir {
		return ignoreNotExist(err)
	}
	name, rest := rest[0], rest[1:]
	if name == "**" {
		return v.globDeep(ctx, at, rest, found)
	}
	if !HasGlob(name) {
		return v.glob(ctx, join(at, name), rest, found)
	}
	names, err := v.Names(at)
	if err != nil {
		return ignoreNotExist(err)
	}
	for _, entry := range names {
		ok, err := path.Match(name, entry)
		if err != nil {
			return err
		}
		// As in a shell, a glob does not find hidden files.
		if ok && (entry[0] != '.' || name[0] == '.') {
			if err := v.glob(ctx, join(at, entry), rest, found); err != nil {
				return err
			}
		}
	}
	return nil
}

// globDeep goes on with the pattern in a directory and in each below it.
func (v *View) globDeep(ctx context.Context, at string, rest []string, found *[]string) error {
	if len(rest) == 0 {
		rest = []string{"*"}
	}
	// The directory itself may be reached through a link, those below it are not.
	return v.walk(ctx, Info{Path: at, Kind: Dir}, func(i Info) error {
		if i.Kind != Dir {
			return nil
		}
		return v.glob(ctx, i.Path, rest, found)
	})
}

func ignoreNotExist(err error) error {
	if isNotExist(err) {
		return nil
	}
	return err
}

// MissingDirs lists path and what is above it, outermost first, as far as it does not exist. It fails if
// something that is no directory is in the way.
func (v *View) MissingDirs(path string) ([]string, error) {
	i, err := v.Stat(path)
	if err == nil {
		if i.Kind != Dir && i.Opaque == "" {
			return nil, &fs.PathError{Op: "mkdir", Path: path, Err: syscall.ENOTDIR}
		}
		return nil, nil
	}
	if !isNotExist(err) {
		return nil, err
	}
	if l, err := v.Lstat(path); err == nil && l.Kind != Link {
		return v.MissingDirs(path) // something beside this has just made it
	} else if err == nil {
		return nil, &fs.PathError{Op: "mkdir", Path: path, Err: fmt.Errorf("is a link to %s, which does not exist", l.Target)}
	}
	above, err := v.MissingDirs(filepath.Dir(path))
	return append(above, path), err
}
