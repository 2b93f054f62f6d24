package familytest

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Tree describes everything below dir: a line a file with its path, mode, owner, and of a regular file
// size, time of change and hash, of a link its target. Times of directories do not count: what is put back
// in one changes them.
func Tree(t testing.TB, dir string) string {
	t.Helper()
	var lines strings.Builder
	err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		line, err := describe(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		fmt.Fprintf(&lines, "%s %s\n", rel, line)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return lines.String()
}

func describe(path string) (string, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return "", err
	}
	line := info.Mode().String()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		line += fmt.Sprintf(" %d:%d", st.Uid, st.Gid)
	}
	switch {
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := os.Readlink(path)
		return line + " -> " + target, err
	case info.Mode().IsRegular():
		data, err := os.ReadFile(path)
		return fmt.Sprintf("%s %d %d %x", line, len(data), info.ModTime().UnixNano(), sha256.Sum256(data)), err
	}
	return line, nil
}

// SameTree stops the test unless both descriptions of a tree are equal, and shows the lines that differ.
func SameTree(t testing.TB, what, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	var diff strings.Builder
	for line := range strings.Lines(want) {
		if !strings.Contains(got, line) {
			diff.WriteString("- " + line)
		}
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(want, line) {
			diff.WriteString("+ " + line)
		}
	}
	t.Fatalf("%s: the tree differs:\n%s", what, diff.String())
}
