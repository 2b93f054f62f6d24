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
	src    Source
	dir    string
	opened map[string]*memoryFile // by path
}

type memoryFile struct {
	file  *os.File
	local string
}

// Accept implements loader.ResourceLoader: nothing is left to another loader.
func (r *resources) Accept(string) bool { return true }

// Load implements loader.ResourceLoader.
func (r *resources) Load(_ context.Context, name string) (string, error) {
	if strings.Contains(name, "://") || strings.HasPrefix(name, "git@") || strings.HasPrefix(name, "oci:") {
		return "", fmt.Errorf("%s is not on this machine: a project is made of files that are here", name)
	}
	path := r.path(name)
	if m := r.opened[path]; m != nil {
		return m.local, nil
	}
	content, err := r.src.ReadFile(path)
	if err != nil {
		return "", err
	}
	var checked places
	if err := checked.add(path, content); err != nil {
		return "", err
	}
	fd, err := unix.MemfdCreate("compose", unix.MFD_CLOEXEC)
	if err != nil {
		return "", fmt.Errorf("make a file in memory for %s: %w", path, err)
	}
	file := os.NewFile(uintptr(fd), path)
	if _, err := file.Write(content); err != nil {
		return "", errors.Join(fmt.Errorf("make a file in memory for %s: %w", path, err), file.Close())
	}
	m := &memoryFile{file, fmt.Sprintf("/proc/self/fd/%d", fd)}
	r.opened[path] = m
	return m.local, nil
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
