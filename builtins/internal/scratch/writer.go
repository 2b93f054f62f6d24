// Package scratch gives private directories in infrarun's cache to what only looks: a program that reads nothing but
// files gets its copies there, also in a preview, which may fill the cache since that is infrarun's own.
//
//	<cache>/<name>/<pid>-<start>-<random>/
//
// A directory is there for as long as it is used. Those of a process that was killed are removed by the next one. What
// is put into one is the business of the family that uses it; this package knows none.
package scratch

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// Place is where a family has its scratch directories.
type Place struct {
	Dir string // below the cache
	For string // what for, as errors say it: "a copy of the unit"
	// Open lets other users go in and read: for a program that drops its rights. Otherwise only their owner can.
	Open bool
}

// With makes a directory, calls use with its path, and removes it.
func (p Place) With(use func(dir string) error) (err error) {
	dir, err := p.make()
	if err != nil {
		return fmt.Errorf("make a place for %s: %w", p.For, err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return use(dir)
}

func (p Place) make() (string, error) {
	mode := fs.FileMode(0o700)
	if p.Open {
		mode = 0o711 // who goes in must know the name
	}
	// As a run makes the cache: others may pass, and what is private in it says so itself.
	if err := os.MkdirAll(filepath.Dir(p.Dir), 0o711); err != nil {
		return "", err
	}
	if err := os.Mkdir(p.Dir, mode); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	p.removeDead()
	me, _ := proc.Identify(os.Getpid())
	dir, err := os.MkdirTemp(p.Dir, fmt.Sprintf("%d-%d-*", me.PID, me.Start))
	if err == nil && p.Open {
		err = os.Chmod(dir, 0o755)
	}
	return dir, err
}

// removeDead removes what processes that are gone have left. That it fails is no reason not to go on.
func (p Place) removeDead() {
	entries, err := os.ReadDir(p.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if id, ok := owner(e.Name()); ok && !id.Alive() {
			os.RemoveAll(filepath.Join(p.Dir, e.Name()))
		}
	}
}

// owner reads whose a directory is from its name.
func owner(name string) (proc.Identity, bool) {
	parts := strings.Split(name, "-")
	if len(parts) != 3 {
		return proc.Identity{}, false
	}
	pid, err := strconv.Atoi(parts[0])
	if err != nil {
		return proc.Identity{}, false
	}
	start, err := strconv.ParseUint(parts[1], 10, 64)
	return proc.Identity{PID: pid, Start: start}, err == nil
}
