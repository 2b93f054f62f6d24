package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"sync"
)

// workload is what should run under a name.
type workload struct {
	Image    string `json:"image"`
	Replicas int    `json:"replicas"`
}

// store keeps the workloads by name, in memory and in a file. The file is the one that counts: a change that
// could not be written has not happened.
type store struct {
	path string

	mu        sync.Mutex
	workloads map[string]workload
}

// openStore reads the file at path; none means no workloads.
func openStore(path string) (*store, error) {
	s := &store{path: path, workloads: map[string]workload{}}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("create the data directory: %w", err)
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the workloads: %w", err)
	}
	if err := json.Unmarshal(data, &s.workloads); err != nil {
		return nil, fmt.Errorf("read the workloads in %s: %w", path, err)
	}
	return s, nil
}

// check tells whether the directory of the file is still there.
func (s *store) check(context.Context) error {
	if _, err := os.Stat(filepath.Dir(s.path)); err != nil {
		return fmt.Errorf("the data directory: %w", err)
	}
	return nil
}

func (s *store) all() map[string]workload {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.workloads)
}

func (s *store) put(name string, w workload) error {
	return s.change(func(all map[string]workload) { all[name] = w })
}

func (s *store) remove(name string) error {
	return s.change(func(all map[string]workload) { delete(all, name) })
}

// change edits a copy, writes it, and takes it over only when that worked.
func (s *store) change(edit func(map[string]workload)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := maps.Clone(s.workloads)
	edit(next)
	data, err := json.MarshalIndent(next, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the workloads: %w", err)
	}
	if err := replace(s.path, append(data, '\n')); err != nil {
		return err
	}
	s.workloads = next
	return nil
}

// replace writes data to path so that a crash leaves either the old file or the new one.
func replace(path string, data []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()
	_, err = f.Write(data)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
