package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// scratch is the directory of private copies in infrarun's cache, which a preview may write to as well:
//
//	<cache>/sqlite/<pid>-<start>-<random>/db and what lay beside it
//
// A copy is there for as long as it is read. Those of a process that was killed are removed by the next one.
type scratch struct{ dir string }

func newScratch(dir string) *scratch { return &scratch{dir} }

// with makes a directory, calls use, and removes it.
func (s *scratch) with(use func(*scratchDir) error) (err error) {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return fmt.Errorf("make a place for a copy of the database: %w", err)
	}
	s.removeDead()
	me, _ := proc.Identify(os.Getpid())
	dir, err := os.MkdirTemp(s.dir, fmt.Sprintf("%d-%d-*", me.PID, me.Start))
	if err != nil {
		return fmt.Errorf("make a place for a copy of the database: %w", err)
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
		if id, ok := parseOwner(e.Name()); ok && !id.Alive() {
			os.RemoveAll(filepath.Join(s.dir, e.Name()))
		}
	}
}

// parseOwner reads whose a directory is from its name.
func parseOwner(name string) (proc.Identity, bool) {
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

// scratchDir is a private directory for one copy.
type scratchDir struct{ dir string }

// openFunc opens a file for reading.
type openFunc func(path string) (io.ReadCloser, error)

func openOnDisk(path string) (io.ReadCloser, error) { return os.Open(path) }

// copyDatabase copies a database, and what lies beside it but for the index of its log, which belongs to those who have
// it open. It returns the path of the copy.
func (s *scratchDir) copyDatabase(ctx context.Context, path string, open openFunc) (string, error) {
	to := filepath.Join(s.dir, "db")
	for _, suffix := range []string{"", walSuffix, journalSuffix} {
		err := s.copyFile(ctx, path+suffix, to+suffix, open)
		if suffix != "" && errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("make a private copy: %w", err)
		}
	}
	return to, nil
}

func (s *scratchDir) copyFile(ctx context.Context, from, to string, open openFunc) error {
	src, err := open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, stoppable{ctx, src})
	return errors.Join(err, dst.Close())
}

// stoppable is a reader that ends with the context.
type stoppable struct {
	ctx context.Context
	r   io.Reader
}

func (s stoppable) Read(p []byte) (int, error) {
	if err := context.Cause(s.ctx); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}
