package git

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// location is where the parts of a repository are: with a linked work tree, or objects borrowed from another
// repository, they are in several places.
type location struct {
	gitDir    string   // HEAD
	commonDir string   // config, refs, objects; mostly gitDir
	borrowed  []string // the repositories whose objects it uses too
}

// bare is the location of a repository that is all in one directory.
func bare(dir string) location { return location{gitDir: dir, commonDir: dir} }

// maxBorrowing is how long a chain of repositories may be that borrow objects from each other.
const maxBorrowing = 5

// locate finds the repository of a work tree, or the bare repository, in a directory.
func locate(dir string) (location, error) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return location{}, fmt.Errorf("there is no repository at %s: there is no such directory", dir)
	case err != nil:
		return location{}, fmt.Errorf("look for a repository: %w", err)
	case !info.IsDir():
		return location{}, fmt.Errorf("there is no repository at %s: it is a file", dir)
	}
	at, err := gitDirOf(dir)
	if err != nil {
		return location{}, err
	}
	if at.borrowed, err = borrowing(filepath.Join(at.commonDir, "objects"), 0); err != nil {
		return location{}, fmt.Errorf("repository %s: %w", dir, err)
	}
	return at, nil
}

func gitDirOf(dir string) (location, error) {
	dot := filepath.Join(dir, ".git")
	info, err := os.Stat(dot)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if isGitDir(dir) {
			return withCommonDir(dir)
		}
		return location{}, fmt.Errorf("there is no repository at %s: it has no .git and is not a bare repository%s", dir, above(dir))
	case err != nil:
		return location{}, fmt.Errorf("look for a repository: %w", err)
	case info.IsDir():
		if !isGitDir(dot) {
			return location{}, fmt.Errorf("there is no repository at %s: its .git is incomplete", dir)
		}
		return withCommonDir(dot)
	case !info.Mode().IsRegular():
		return location{}, fmt.Errorf("there is no repository at %s: its .git is neither a directory nor a file", dir)
	}
	data, err := readSmall(dot)
	if err != nil {
		return location{}, err
	}
	target, err := parseGitFile(data)
	if err != nil {
		return location{}, fmt.Errorf("%s: %w", dot, err)
	}
	if !filepath.IsAbs(target) {
		target = filepath.Join(dir, target)
	}
	if _, err := os.Stat(filepath.Join(target, "HEAD")); err != nil {
		return location{}, fmt.Errorf("%s leads to %s, where there is no repository (any more): %w", dot, target, err)
	}
	return withCommonDir(target)
}

// above names the repository that a directory is part of, for one who gave the wrong directory.
func above(dir string) string {
	for parent := filepath.Dir(dir); ; parent = filepath.Dir(parent) {
		if isGitDir(filepath.Join(parent, ".git")) {
			return "; it is inside of the repository " + parent
		}
		if parent == filepath.Dir(parent) {
			return ""
		}
	}
}

func isGitDir(dir string) bool {
	for _, name := range []string{"HEAD", "objects", "refs"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			return false
		}
	}
	return true
}

// withCommonDir finds where a linked work tree shares what it shares.
func withCommonDir(gitDir string) (location, error) {
	data, err := readSmall(filepath.Join(gitDir, "commondir"))
	if errors.Is(err, fs.ErrNotExist) {
		return bare(gitDir), nil
	} else if err != nil {
		return location{}, err
	}
	common := strings.TrimSpace(string(data))
	if !filepath.IsAbs(common) {
		common = filepath.Join(gitDir, common)
	}
	if !isGitDir(common) {
		return location{}, fmt.Errorf("the work tree of %s belongs to %s, where there is no repository", gitDir, common)
	}
	return location{gitDir: gitDir, commonDir: filepath.Clean(common)}, nil
}

// borrowing returns the repositories that objects are borrowed from, directly or through others.
func borrowing(objects string, depth int) ([]string, error) {
	data, err := readSmall(filepath.Join(objects, "info", "alternates"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	if depth == maxBorrowing {
		return nil, fmt.Errorf("more than %d repositories borrow objects from each other", maxBorrowing)
	}
	var all []string
	for _, dir := range parseAlternates(data) {
		if !filepath.IsAbs(dir) {
			dir = filepath.Join(objects, dir)
		}
		if info, err := os.Stat(dir); err != nil || !info.IsDir() || filepath.Base(dir) != "objects" {
			return nil, fmt.Errorf("it borrows objects from %s, where there are none", dir)
		}
		more, err := borrowing(dir, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(append(all, filepath.Dir(filepath.Clean(dir))), more...)
	}
	return all, nil
}

// parseGitFile reads what stands in place of .git in a linked work tree or a submodule.
func parseGitFile(data []byte) (string, error) {
	line, ok := strings.CutPrefix(string(data), "gitdir: ")
	line, _, _ = strings.Cut(line, "\n")
	if line = strings.TrimSpace(line); !ok || line == "" || strings.ContainsRune(line, 0) {
		return "", errors.New("want gitdir: and a path")
	}
	return line, nil
}

// parseAlternates reads objects/info/alternates.
func parseAlternates(data []byte) []string {
	var dirs []string
	for line := range bytes.Lines(data) {
		text := strings.TrimSpace(string(line))
		if text != "" && text[0] != '#' && !strings.ContainsRune(text, 0) && !slices.Contains(dirs, text) {
			dirs = append(dirs, text)
		}
	}
	return dirs
}

// readSmall reads one of git's small files. Something else in its place must not fill the memory.
func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 64<<10))
}

// reaches returns every directory that reading the repository reaches, so that each can be checked against what
// the recipe declared: a .git file, a link or borrowed objects may lead out of the directory that was named.
func (at location) reaches() []string {
	dirs := []string{at.gitDir, at.commonDir}
	for _, owner := range append([]string{at.commonDir}, at.borrowed...) {
		dirs = append(dirs, filepath.Join(owner, "objects"), filepath.Join(owner, "objects", "pack"))
	}
	var real []string
	for _, dir := range dirs {
		if r, err := filepath.EvalSymlinks(dir); err == nil && !slices.Contains(real, r) {
			real = append(real, r)
		}
	}
	return real
}
