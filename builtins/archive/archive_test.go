package archive_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/archive"
	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func newFixture(t testing.TB) *familytest.Fixture {
	return familytest.New(t, fs.Family(), archive.Family())
}

func write(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	must(t, os.Chmod(path, mode))
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// makeTree makes a directory with one of everything that is packed.
func makeTree(t testing.TB, dir string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	must(t, os.MkdirAll(filepath.Join(dir, "empty", "deep"), 0o755))
	write(t, filepath.Join(dir, "bin", "console"), strings.Repeat("console ", 1000), 0o755)
	write(t, filepath.Join(dir, "bin", "helper"), "runs as its owner", 0o755|os.ModeSetuid)
	write(t, filepath.Join(dir, "app.conf"), "port = 80\n", 0o640)
	write(t, filepath.Join(dir, "nothing"), "", 0o600)
	write(t, filepath.Join(dir, "a\nb\\c"), "an odd name", 0o600)
	write(t, filepath.Join(dir, "latin\xe9"), "no UTF-8", 0o444)
	must(t, os.Symlink("bin/console", filepath.Join(dir, "current")))
	must(t, os.Symlink("/nowhere/at all", filepath.Join(dir, "dangling")))
	must(t, os.Link(filepath.Join(dir, "app.conf"), filepath.Join(dir, "second name")))
	if os.Geteuid() == 0 {
		must(t, os.Chown(filepath.Join(dir, "bin", "console"), 4711, 4712))
		must(t, os.Lchown(filepath.Join(dir, "current"), 4711, 4712))
		must(t, os.Chmod(filepath.Join(dir, "bin", "console"), 0o755))
		must(t, unix.Setxattr(filepath.Join(dir, "bin", "console"), "user.origin", []byte("built\x00here"), 0))
	}
	must(t, os.Chmod(filepath.Join(dir, "empty"), 0o500))
	old := time.Date(2019, 4, 1, 12, 0, 0, 123456789, time.UTC)
	for _, name := range []string{"app.conf", "bin/console", "empty/deep", "empty", "."} {
		must(t, os.Chtimes(filepath.Join(dir, name), old, old))
	}
}

// times describes the times of directories and links, which familytest.Tree leaves out.
func times(t testing.TB, dir string) string {
	t.Helper()
	var lines strings.Builder
	must(t, filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		fi, err := d.Info()
		if rel, _ := filepath.Rel(dir, path); err == nil {
			fmt.Fprintf(&lines, "%s %d\n", rel, fi.ModTime().UnixNano())
		}
		return err
	}))
	return lines.String()
}

func TestRoundTrip(t *testing.T) {
	f := newFixture(t)
	src := filepath.Join(f.Dir, "app")
	makeTree(t, src)
	want, wantTimes := familytest.Tree(t, src), times(t, src)
	f.Run(`
made = archive.create(DIR + "/app", DIR + "/app.tar.zst")
test.equal(made.files, 7)
test.equal(made.left_out, [])
test.equal(made.sha256, fs.sha256(DIR + "/app.tar.zst"))
test.equal(fs.stat(DIR + "/app.tar.zst").mode, "0600")
test.equal(archive.verify(DIR + "/app.tar.zst"), [])
test.equal([e.name for e in archive.list(DIR + "/app.tar.zst")][:3], [".", "a\nb\\c", "app.conf"])
out = archive.extract(DIR + "/app.tar.zst", DIR + "/restored")
test.equal(out.files, 7)
test.equal(out.bytes, made.bytes)
`).Want(events.Succeeded)
	familytest.SameTree(t, "what was unpacked", familytest.Tree(t, filepath.Join(f.Dir, "restored")), want)
	if got := times(t, filepath.Join(f.Dir, "restored")); got != wantTimes {
		t.Errorf("the times differ: got\n%s\nwant\n%s", got, wantTimes)
	}
	if os.Geteuid() == 0 {
		value := make([]byte, 64)
		n, err := unix.Getxattr(filepath.Join(f.Dir, "restored/bin/console"), "user.origin", value)
		if err != nil || string(value[:n]) != "built\x00here" {
			t.Errorf("the attribute of a file is %q, %v", value[:max(n, 0)], err)
		}
	}
}

func TestSingleFile(t *testing.T) {
	f := newFixture(t)
	write(t, filepath.Join(f.Dir, "app.db"), "rows", 0o640)
	f.Run(`
archive.create(DIR + "/app.db", DIR + "/db.tar.zst")
archive.extract(DIR + "/db.tar.zst", DIR + "/other.db")
test.equal(fs.read(DIR + "/other.db"), "rows")
test.equal(fs.stat(DIR + "/other.db").mode, "0640")
`).Want(events.Succeeded)
}

// TestOtherPrograms unpacks and checks an archive with what every machine has.
func TestOtherPrograms(t *testing.T) {
	for _, program := range []string{"tar", "zstd", "sha256sum"} {
		_, err := exec.LookPath(program)
		familytest.Need(t, err == nil, program+" is not installed")
	}
	f := newFixture(t)
	src := filepath.Join(f.Dir, "app")
	makeTree(t, src)
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst")`).Want(events.Succeeded)
	out := filepath.Join(f.Dir, "by-tar")
	must(t, os.Mkdir(out, 0o755))
	run := func(dir string, argv ...string) {
		t.Helper()
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir = dir
		if text, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", argv, err, text)
		}
	}
	run(f.Dir, "tar", "--zstd", "--numeric-owner", "-xpf", "app.tar.zst", "-C", out)
	run(f.Dir, "sha256sum", "--ignore-missing", "-c", "app.tar.zst.sha256")
	run(out, "sha256sum", "-c", ".infrarun-manifest.sha256")
	must(t, os.Remove(filepath.Join(out, ".infrarun-manifest.sha256")))
	familytest.SameTree(t, "what tar unpacked", familytest.Tree(t, out), familytest.Tree(t, src))
}

func TestSameTreeSameBytes(t *testing.T) {
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	f.Run(`
a = archive.create(DIR + "/app", DIR + "/1.tar.zst")
b = archive.create(DIR + "/app", DIR + "/2.tar.zst")
test.equal(a.sha256, b.sha256)
`).Want(events.Succeeded)
}

func TestLeftOut(t *testing.T) {
	f := newFixture(t)
	src := filepath.Join(f.Dir, "app")
	must(t, os.MkdirAll(filepath.Join(src, "backups"), 0o755))
	must(t, os.MkdirAll(filepath.Join(src, "web", "cache"), 0o755))
	write(t, filepath.Join(src, "web", "cache", "x"), "x", 0o644)
	write(t, filepath.Join(src, "app.log"), "x", 0o644)
	write(t, filepath.Join(src, "keep"), "x", 0o644)
	must(t, syscall.Mkfifo(filepath.Join(src, "pipe"), 0o600))
	f.Run(`
made = archive.create(DIR + "/app", DIR + "/app/backups/app.tar.zst", exclude = ["*.log", "web/cache/", "backups"])
test.equal(made.left_out, ["pipe"])
test.equal([e.name for e in archive.list(DIR + "/app/backups/app.tar.zst")], [".", "keep", "web"])
`).Want(events.Succeeded)
}

func TestRefused(t *testing.T) {
	tests := []struct{ name, recipe, want string }{
		{"into itself", `archive.create(DIR + "/app", DIR + "/app/sub/x.tar.zst")`, `exclude = ["sub"]`},
		{"directly into itself", `archive.create(DIR + "/app", DIR + "/app/x.tar.zst", exclude = ["x*"])`, "write it elsewhere"},
		{"no source", `archive.create(DIR + "/no", DIR + "/x.tar.zst")`, "there is nothing to pack at"},
		{"no directory", `archive.create(DIR + "/app", DIR + "/no/x.tar.zst")`, "make it with fs.mkdir"},
		{"taken", `archive.create(DIR + "/app", DIR + "/taken")`, "replaces nothing"},
		{"sums taken", `archive.create(DIR + "/app", DIR + "/half")`, "half.sha256 is there already"},
		{"level", `archive.create(DIR + "/app", DIR + "/x", level = 20)`, "want 1 to 19"},
		{"pattern", `archive.create(DIR + "/app", DIR + "/x", exclude = ["[a"])`, "is no pattern"},
		{"empty path", `archive.create("", DIR + "/x")`, "the path is empty"},
		{"no archive", `archive.extract(DIR + "/no", DIR + "/x")`, "there is no archive at"},
		{"a directory", `archive.verify(DIR + "/app")`, "is a dir, not an archive"},
		{"not one", `archive.extract(DIR + "/taken", DIR + "/x")`, "damaged, or no archive"},
		{"not empty", `archive.extract(DIR + "/ok.tar.zst", DIR + "/app")`, "is not empty (there is sub)"},
		{"a file in the way", `archive.extract(DIR + "/ok.tar.zst", DIR + "/taken")`, "something is at"},
		{"nothing to unpack into", `archive.extract(DIR + "/ok.tar.zst", DIR + "/no/x")`, "make it with fs.mkdir"},
		{"a file into a directory", `archive.extract(DIR + "/file.tar.zst", DIR + "/app/sub")`, "name the file to make"},
	}
	f := newFixture(t)
	must(t, os.MkdirAll(filepath.Join(f.Dir, "app/sub"), 0o755))
	write(t, filepath.Join(f.Dir, "taken"), "here", 0o644)
	write(t, filepath.Join(f.Dir, "half.sha256"), "here", 0o644)
	f.Run(`
archive.create(DIR + "/app", DIR + "/ok.tar.zst")
archive.create(DIR + "/taken", DIR + "/file.tar.zst")
`).Want(events.Succeeded)
	before := familytest.Tree(t, f.Dir)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f.Preview(test.recipe).Want(events.Refused).WantError(test.want)
			f.Run(test.recipe).Want(events.Refused).WantError(test.want)
			familytest.SameTree(t, "after a refusal", familytest.Tree(t, f.Dir), before)
		})
	}
}

func TestPermissions(t *testing.T) {
	f := newFixture(t)
	elsewhere := t.TempDir()
	write(t, filepath.Join(elsewhere, "secret"), "x", 0o600)
	for _, recipe := range []string{
		`archive.create("` + elsewhere + `", DIR + "/x")`,
		`archive.create(DIR, "` + elsewhere + `/x")`,
		`archive.extract("` + elsewhere + `/x", DIR + "/y")`,
		`archive.list("` + elsewhere + `/x")`,
		`archive.verify("` + elsewhere + `/x")`,
	} {
		f.Run(recipe).Want(events.DeniedRun).WantError("is not declared by the recipe")
	}
}
