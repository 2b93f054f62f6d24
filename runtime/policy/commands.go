package policy

import (
	"errors"
	"fmt"
	"os/exec"
	"path"
	"slices"
	"strings"
)

// standardDirs are where a system keeps the commands that everybody runs by name.
var standardDirs = []string{
	"/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/snap/bin",
}

// Commands compares commands, that is the first word of what is run. A pattern without a slash ("git",
// "docker-*") covers the command of that name, and its absolute path if that lies directly in a directory of
// Dirs; neither "./git" nor "/tmp/git" is "git". A pattern with a slash is one of [Paths]. A command with a slash
// that is not an absolute path, or has "..", is never covered.
//
// A denial hits every command whose last component has the name, wherever it lies, and every link to one. It
// keeps an honest recipe from a slip, no more: who may run an arbitrary command can run any other through it.
type Commands struct {
	// Dirs are the directories whose commands are known by name; the default is the standard ones of a system.
	Dirs []string
	// LookPath returns the file that runs for a name without a slash; the default is [exec.LookPath].
	LookPath func(name string) (string, error)
	// Paths is for the patterns with a slash.
	Paths Paths
}

type commandPatterns struct {
	names    []string
	dirs     []string
	lookPath func(string) (string, error)
	resolve  func(string) (string, error)
	paths    Patterns
	size     int
}

// Compile reads patterns.
func (c Commands) Compile(patterns []string) (Patterns, error) {
	compiled := &commandPatterns{dirs: c.Dirs, lookPath: c.LookPath, resolve: c.Paths.Resolve, size: len(patterns)}
	if compiled.dirs == nil {
		compiled.dirs = standardDirs
	}
	if compiled.lookPath == nil {
		compiled.lookPath = exec.LookPath
	}
	if compiled.resolve == nil {
		compiled.resolve = resolve
	}
	var withSlash []string
	for _, text := range patterns {
		if strings.Contains(text, "/") {
			withSlash = append(withSlash, text)
			continue
		}
		name, err := parseCommandName(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		compiled.names = append(compiled.names, name)
	}
	var err error
	compiled.paths, err = c.Paths.Compile(withSlash)
	return compiled, err
}

func parseCommandName(text string) (string, error) {
	if err := plainText(text); err != nil {
		return "", err
	}
	if strings.ContainsAny(text, " ") {
		return "", errors.New("give the command alone, without arguments")
	}
	if text == anyDepth {
		return "", errors.New("write * for every command")
	}
	g, err := compileGlob([]string{text})
	if err != nil {
		return "", err
	}
	return g[0], nil
}

func (cs *commandPatterns) named(name string) bool {
	return slices.ContainsFunc(cs.names, func(p string) bool { return matchOne(p, name) })
}

// checkCommand refuses what cannot be compared.
func checkCommand(target string) error {
	if err := plainText(target); err != nil {
		return err
	}
	switch {
	case hasDotDot(target) || target == ".":
		return errors.New("a command may not have .. in its path")
	case strings.Contains(target, "/") && !path.IsAbs(target):
		return errors.New("give a name without a slash or an absolute path")
	}
	return nil
}

// Covers implements [Patterns].
func (cs *commandPatterns) Covers(target string) (bool, string) {
	if err := checkCommand(target); err != nil {
		return false, err.Error()
	}
	if !strings.Contains(target, "/") {
		return cs.named(target), ""
	}
	clean := path.Clean(target)
	if slices.Contains(cs.dirs, path.Dir(clean)) && cs.named(path.Base(clean)) {
		return true, ""
	}
	return cs.paths.Covers(clean)
}

// Touches implements [Patterns].
func (cs *commandPatterns) Touches(target string, tree bool) (bool, string) {
	if cs.size == 0 {
		return false, ""
	}
	if err := checkCommand(target); err != nil {
		return true, err.Error()
	}
	file := target
	if !strings.Contains(target, "/") {
		if cs.named(target) {
			return true, ""
		}
		found, err := cs.lookPath(target)
		if err != nil || !path.IsAbs(found) {
			return false, "" // nothing is there to be run
		}
		file = found
	}
	place, err := cs.resolve(path.Clean(file))
	if err != nil {
		return true, err.Error()
	}
	if cs.named(path.Base(path.Clean(file))) || cs.named(path.Base(place)) {
		return true, ""
	}
	return cs.paths.Touches(file, tree)
}
