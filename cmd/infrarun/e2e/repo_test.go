package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// repo is a git repository with the bundled stack.
type repo struct {
	t   testing.TB
	dir string
}

// newRepo makes a repository of testdata/infracore with one commit.
func newRepo(t testing.TB) *repo {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r := &repo{t: t, dir: dir}
	source, err := filepath.Abs("../../../testdata/infracore")
	if err != nil {
		t.Fatal(err)
	}
	files := run(t, source, "git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	for name := range strings.SplitSeq(strings.TrimRight(files, "\x00"), "\x00") {
		copyFile(t, filepath.Join(source, name), filepath.Join(dir, name))
	}
	run(t, dir, "git", "init", "--quiet", "--initial-branch=main")
	r.commit("version 1")
	return r
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	info, err := os.Stat(from)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, info.Mode().Perm()); err != nil {
		t.Fatal(err)
	}
}

func run(t testing.TB, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v", name, strings.Join(args, " "), err)
	}
	return string(out)
}

// commit commits everything and returns the beginning of the commit's name, which is the release's.
func (r *repo) commit(message string) string {
	r.t.Helper()
	run(r.t, r.dir, "git", "add", "--all")
	run(r.t, r.dir, "git", "-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false",
		"commit", "--quiet", "--allow-empty", "-m", message)
	return strings.TrimSpace(run(r.t, r.dir, "git", "rev-parse", "--short=12", "HEAD"))
}

// write replaces a file of the work tree.
func (r *repo) write(name, content string) {
	r.t.Helper()
	path := filepath.Join(r.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		r.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		r.t.Fatal(err)
	}
}

// reset takes back the last commit.
func (r *repo) reset() { run(r.t, r.dir, "git", "reset", "--quiet", "--hard", "HEAD~1") }

// The ways in which a console can be broken. Each is a file beside its main.go.
const (
	exitsAtStart = "package main\n\nimport \"os\"\n\nfunc init() { os.Exit(1) }\n"

	neverListens = "package main\n\nfunc init() { select {} }\n"

	answers500 = `package main

import (
	"net/http"
	"os"
)

func init() {
	if len(os.Args) > 1 {
		return
	}
	http.ListenAndServe("127.0.0.1:"+os.Getenv("INFRA_CORE_CONSOLE_PORT"), http.HandlerFunc(
		func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(500) }))
}
`
)
