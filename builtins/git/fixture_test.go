package git

import (
	"encoding/pem"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// TestMain gives the tests a home of their own, and lets Go's TLS trust httptest's certificate: both are read once
// by a process.
func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	home, err := os.MkdirTemp("", "git-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(home)
	s := httptest.NewTLSServer(http.NotFoundHandler())
	certificate := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw})
	s.Close()
	if err := os.WriteFile(filepath.Join(home, "ca.pem"), certificate, 0o600); err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		"HOME": home, "SSL_CERT_FILE": filepath.Join(home, "ca.pem"), "SSH_AUTH_SOCK": "", "SSH_KNOWN_HOSTS": "",
		"GIT_CONFIG_GLOBAL": os.DevNull, "GIT_CONFIG_NOSYSTEM": "1",
		"GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": "ada@example.com",
		"GIT_COMMITTER_NAME": "Bob", "GIT_COMMITTER_EMAIL": "bob@example.com",
	} {
		os.Setenv(name, value)
	}
	return m.Run()
}

// work is a repository with a work tree, made by git itself.
type work struct {
	t   testing.TB
	dir string
	now int // the time of the next commit, in seconds
}

func newWork(t testing.TB) *work {
	t.Helper()
	_, err := exec.LookPath("git")
	familytest.Need(t, err == nil, "git is not installed")
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &work{t, filepath.Join(dir, "repo"), 1_700_000_000}
	w.run("", "init", "-q", "-b", "main", w.dir)
	return w
}

// git runs git in the work tree and returns what it prints.
func (w *work) git(args ...string) string { w.t.Helper(); return w.run(w.dir, args...) }

func (w *work) run(dir string, args ...string) string {
	w.t.Helper()
	c := exec.Command("git", append([]string{"-c", "protocol.file.allow=always"}, args...)...)
	c.Dir = dir
	at := fmt.Sprintf("%d +0100", w.now)
	c.Env = append(os.Environ(), "GIT_AUTHOR_DATE="+at, "GIT_COMMITTER_DATE="+at)
	out, err := c.CombinedOutput()
	if err != nil {
		w.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimRight(string(out), "\n")
}

// write puts a file into the work tree.
func (w *work) write(name, content string, mode fs.FileMode) *work {
	w.t.Helper()
	full := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(full, []byte(content), mode); err != nil {
		w.t.Fatal(err)
	}
	return w
}

// commit commits everything and returns the hash.
func (w *work) commit(message string) string {
	w.t.Helper()
	w.now += 60
	w.git("add", "-A")
	w.git("commit", "-q", "--allow-empty", "-m", message)
	return w.git("rev-parse", "HEAD")
}

// sample has a file of each kind, two commits, a branch and tags.
func sample(t testing.TB) (w *work, first, second string) {
	t.Helper()
	w = newWork(t)
	w.write("README.md", "hello\n", 0o644).write("scripts/run.sh", "#!/bin/sh\n", 0o755).write("empty", "", 0o600)
	w.write("deep/er/file", strings.Repeat("x", 70_000), 0o644)
	if err := os.Symlink("../README.md", filepath.Join(w.dir, "deep", "link")); err != nil {
		t.Fatal(err)
	}
	first = w.commit("first commit")
	w.git("tag", "-a", "v1.0.0", "-m", "the first release")
	w.git("branch", "develop")
	w.write("README.md", "hello again\n", 0o644)
	second = w.commit("fix the gate\n\nat length")
	return w, first, second
}

// fixture returns a host with the family, whose recipes may read the repository.
func fixture(t testing.TB, w *work) *familytest.Fixture {
	t.Helper()
	f := familytest.New(t, Family(), &runtime.Family{Name: "fs", Undoers: filesys.Undoers()})
	if w != nil {
		f.Grant("fs.read", w.dir)
	}
	return f
}

// tree describes everything below a directory: kind, mode, content.
func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		text := info.Mode().String()
		switch {
		case info.Mode().IsRegular():
			content, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			text += " " + string(content)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			text += " -> " + target
		}
		name, err := filepath.Rel(dir, path)
		found[name] = text
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// wantTree fails the test unless both are the same.
func wantTree(t testing.TB, got, want map[string]string) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			t.Errorf("%s: got %.60q, want %.60q", name, got[name], want[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[name]; !ok {
			t.Errorf("%s should not be there", name)
		}
	}
}
