package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree describes everything below the site's prefix: kind, mode, owner, content or link target. What
// running services write is left out: logs, process files, the database's journal.
func (s *site) tree() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(s.prefix, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(s.prefix, name)
		if running(rel) {
			return nil
		}
		found[rel], err = describe(name, d)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

// running reports whether a path is what a running service writes.
func running(rel string) bool {
	switch {
	case strings.HasPrefix(rel, "var/log/infra-core/"),
		strings.HasPrefix(rel, "var/lib/infra-core/"),
		strings.HasPrefix(rel, "opt/infra-core/services/") && !strings.HasSuffix(rel, ".sh"):
		return true
	}
	return false
}

func describe(name string, d fs.DirEntry) (string, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%s %d:%d", info.Mode(), st.Uid, st.Gid)
	switch {
	case d.Type()&fs.ModeSymlink != 0:
		target, err := os.Readlink(name)
		return text + " -> " + target, err
	case d.Type().IsRegular():
		data, err := os.ReadFile(name)
		return fmt.Sprintf("%s %x", text, sha256.Sum256(data)), err
	}
	return text, nil
}

// sameTree fails the test if the tree is not as it was.
func (s *site) sameTree(before map[string]string) {
	s.t.Helper()
	if diff := cmp.Diff(before, s.tree()); diff != "" {
		s.t.Errorf("the tree below the prefix is not as it was (-before +after):\n%s", diff)
	}
}

// all returns every file below dir with its content, for a search.
func all(t testing.TB, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(name)
		files[name] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
