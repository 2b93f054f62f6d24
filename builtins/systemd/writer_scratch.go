package systemd

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
)

// scratch is the directory of copies of units in infrarun's cache, which a preview may write to as well:
//
//	<cache>/systemd/<pid>-<start>-<random>/console.service
//
// A copy is there for as long as systemd-analyze reads it. Those of a process that was killed are removed by the next one.
type scratch struct{ dir string }

func newScratch(r *runtime.Reader) *scratch { return &scratch{filepath.Join(r.Cache(), "systemd")} }

// with makes a directory, calls use, and removes it.
func (s *scratch) with(use func(*scratchDir) error) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make a place for a copy of the unit: %w", err)
	}
	s.removeDead()
	me, _ := proc.Identify(os.Getpid())
	dir, err := os.MkdirTemp(s.dir, fmt.Sprintf("%d-%d-*", me.PID, me.Start))
	if err != nil {
		return fmt.Errorf("make a place for a copy of the unit: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	return use(&scratchDir{dir})
}

// removeDead removes what processes that are gone have left. That it fails is no reason not to go on.
func (s *scratch) removeDead() {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		var id proc.Identity
		parts := strings.Split(e.Name(), "-")
		if len(parts) != 3 {
			continue
		}
		id.PID, _ = strconv.Atoi(parts[0])
		id.Start, _ = strconv.ParseUint(parts[1], 10, 64)
		if !id.Alive() {
			os.RemoveAll(filepath.Join(s.dir, e.Name()))
		}
	}
}

// scratchDir is a private directory for copies of units.
type scratchDir struct{ dir string }

func (s *scratchDir) write(name string, content []byte) error {
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make a copy of the unit: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return fmt.Errorf("make a copy of the unit: %w", err)
	}
	return nil
}
