package composefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// resources gives compose-go the further files that a project names, such as one that a service extends: through the
// source, so only what the recipe may read, and in a preview what is predicted. compose-go wants the path of a file; it
// gets that of one in memory, since a preview leaves no file behind and what is in it may be secret.
type resources struct {
	src    *bounded
	dir    string
	opened map[string]*memoryFile // by path
	nodes  int                    // how many values compose-go was given
}

type memoryFile struct {
	file  *os.File
	local string
	nodes int
}

// Accept implements loader.ResourceLoader: nothing is left to another loader.
func (r *resources) Accept(string) bool { return true }

// Load implements loader.ResourceLoader. It is called for each service that extends one of the file.
func (r *resources) Load(_ context.Context, name string) (string, error) {
	if elsewhere(name) {
		return "", fmt.Errorf("%s is not on this machine: a project is made of files that are here", name)
	}
	path := r.path(name)
	m := r.opened[path]
	if m == nil {
		var err error
		if m, err = r.open(path); err != nil {
			return "", err
		}
		r.opened[path] = m
	}
	if r.nodes += m.nodes; r.nodes > maxNodes {
		return "", fmt.Errorf("%s: %w", path, errTooMany)
	}
	return m.local, nil
}

// elsewhere reports whether a name is that of something on another machine.
func elsewhere(name string) bool {
	return strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "oci:")
}

// open puts a file into memory.
func (r *resources) open(path string) (*memoryFile, error) {
	content, err := r.src.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var found places
	if err := found.add(path, content); err != nil {
		return nil, err
	}
	if content, err = found.absoluteBases(content, filepath.Dir(path)); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	fd, err := unix.MemfdCreate("compose", unix.MFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a file in memory for %s: %w", path, err)
	}
	file := os.NewFile(uintptr(fd), path)
	if _, err := file.Write(content); err != nil {
		return nil, errors.Join(fmt.Errorf("make a file in memory for %s: %w", path, err), file.Close())
	}
	return &memoryFile{file, fmt.Sprintf("/proc/self/fd/%d", fd), found.nodes}, nil
}

// Dir implements loader.ResourceLoader: paths in a file are relative to its directory.
func (r *resources) Dir(name string) string { return filepath.Dir(r.path(name)) }

func (r *resources) path(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(r.dir, name)
}

// names are the files in memory and what they hold.
func (r *resources) names() map[string]string {
	names := map[string]string{}
	for path, m := range r.opened {
		names[m.local] = path
	}
	return names
}

func (r *resources) close() {
	for _, m := range r.opened {
		_ = m.file.Close()
	}
}
