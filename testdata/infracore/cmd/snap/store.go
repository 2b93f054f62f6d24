package main

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

// snapshot is one file in the directory of the snapshots.
type snapshot struct {
	Name    string    `json:"name"`
	Bytes   int64     `json:"bytes"`
	Created time.Time `json:"created"`
}

const (
	prefix = "snapshot-"
	suffix = ".tar.gz"
	// stamp sorts by time, and is fine enough for two snapshots in a row to differ.
	stamp = "20060102T150405.000000000Z"
)

// store takes snapshots of source and keeps the newest of them.
type store struct {
	root   *os.Root // a name from a request cannot lead out of it
	source string
	keep   int
	mu     sync.Mutex // one snapshot at a time
}

func openStore(dir, source string, keep int) (*store, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("create the directory of the snapshots: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the directory of the snapshots: %w", err)
	}
	return &store{root: root, source: source, keep: keep}, nil
}

// check tells whether both directories can be read.
func (s *store) check(context.Context) error {
	if _, err := os.Stat(s.root.Name()); err != nil {
		return fmt.Errorf("the directory of the snapshots: %w", err)
	}
	if _, err := os.ReadDir(s.source); err != nil {
		return fmt.Errorf("the source of the snapshots: %w", err)
	}
	return nil
}

// create takes a snapshot and removes those that are too old to be kept. The file has its name only when it is
// complete.
func (s *store) create() (snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := prefix + time.Now().UTC().Format(stamp) + suffix
	partial := name + ".partial"
	f, err := s.root.OpenFile(partial, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return snapshot{}, fmt.Errorf("create a snapshot: %w", err)
	}
	err = errors.Join(pack(f, s.source), f.Sync(), f.Close())
	if err == nil {
		err = s.root.Rename(partial, name)
	}
	if err != nil {
		_ = s.root.Remove(partial)
		return snapshot{}, fmt.Errorf("create a snapshot of %s: %w", s.source, err)
	}
	all, err := s.list()
	if err != nil {
		return snapshot{}, err
	}
	for _, old := range all[min(s.keep, len(all)):] {
		if err := s.root.Remove(old.Name); err != nil {
			return snapshot{}, fmt.Errorf("remove an old snapshot: %w", err)
		}
	}
	return all[0], nil
}

// pack writes the files below dir to w as a compressed tar file.
func pack(w io.Writer, dir string) error {
	gz := gzip.NewWriter(w)
	tw := tar.NewWriter(gz)
	return errors.Join(tw.AddFS(os.DirFS(dir)), tw.Close(), gz.Close())
}

// list returns the snapshots, the newest first.
func (s *store) list() ([]snapshot, error) {
	entries, err := fs.ReadDir(s.root.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list the snapshots: %w", err)
	}
	all := []snapshot{} // an empty list is [] in JSON, not null
	for _, e := range entries {
		created, ok := parseName(e.Name())
		if !ok {
			continue // half a snapshot, or not ours
		}
		info, err := e.Info()
		if err != nil {
			return nil, fmt.Errorf("list the snapshots: %w", err)
		}
		all = append(all, snapshot{e.Name(), info.Size(), created})
	}
	slices.SortFunc(all, func(a, b snapshot) int { return b.Created.Compare(a.Created) })
	return all, nil
}

// parseName returns when the snapshot called name was taken, or false when that is not the name of one.
func parseName(name string) (time.Time, bool) {
	if !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, suffix) || len(name) != len(prefix)+len(stamp)+len(suffix) {
		return time.Time{}, false
	}
	created, err := time.Parse(stamp, name[len(prefix):len(name)-len(suffix)])
	return created, err == nil
}
