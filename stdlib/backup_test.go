package stdlib_test

import (
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/builtins"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/stdlib"
)

// deployed is a directory with what is backed up below app, and backups beside it.
type deployed struct {
	t   *testing.T
	dir string
}

const (
	parts   = `trees = {"data": DIR + "/app/data", "motd": DIR + "/app/motd"}, databases = {"app.db": DIR + "/app/data/app.db"}`
	backUp  = `make_backup(BACKUP, exclude = {"data": ["*.log"]}, ` + parts + `)`
	restore = `restore_backup(BACKUP, ` + parts + `)`
	// forge lets the manifest say of each file what it is now.
	forge = `m = json.decode(fs.read(BACKUP + "/manifest.json"))
for p in m["parts"]:
    p.update(sha256 = fs.sha256(BACKUP + "/" + p["file"]), size = fs.size(BACKUP + "/" + p["file"]))
fs.write(BACKUP + "/manifest.json", json.encode(m))
`
)

func deploy(t *testing.T) *deployed {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	d := &deployed{t, dir}
	d.write("app/data/upload", "picture")
	d.write("app/motd", "hello")
	return d
}

func (d *deployed) path(name string) string { return filepath.Join(d.dir, name) }

func (d *deployed) write(name, content string) {
	d.t.Helper()
	if err := errors.Join(
		os.MkdirAll(filepath.Dir(d.path(name)), 0o755),
		os.WriteFile(d.path(name), []byte(content), 0o640),
	); err != nil {
		d.t.Fatal(err)
	}
}

// run runs a recipe and fails unless it ends as is wanted.
func (d *deployed) run(body string, want events.Result) *story {
	d.t.Helper()
	recipe := filepath.Join(d.t.TempDir(), "recipe.star")
	source := fmt.Sprintf(`load("@stdlib//backup.star", "make_backup", "restore_backup", "verify_backup")
PERMISSIONS = {"fs.write": [%[1]q]}
DIR = %[1]q
BACKUP = DIR + "/backups/backup-20261122-150405"
def main(ctx):
    %[2]s
`, d.dir, strings.ReplaceAll(body, "\n", "\n    "))
	if err := os.WriteFile(recipe, []byte(source), 0o644); err != nil {
		d.t.Fatal(err)
	}
	host, err := runtime.NewHost("test", builtins.All(), stdlib.FS, fstest.MapFS{})
	if err != nil {
		d.t.Fatal(err)
	}
	r, err := host.Load(d.t.Context(), recipe, "", "")
	if err != nil {
		d.t.Fatal(err)
	}
	values, err := r.Resolve(d.t.Context(), r.AddFlags(pflag.NewFlagSet("", pflag.ContinueOnError)), nil)
	if err != nil {
		d.t.Fatal(err)
	}
	state, err := runtime.OpenState(d.t.TempDir())
	if err != nil {
		d.t.Fatal(err)
	}
	told := &story{}
	if got := r.Run(d.t.Context(), values, runtime.Options{State: state, Sinks: []events.Sink{told}}); got.Result != want {
		d.t.Fatalf("it ended %s, want %s: %v\n%s", got.Result, want, got.Left, strings.Join(told.lines, "\n"))
	}
	return told
}

// files describes all that is in the directory.
func (d *deployed) files() map[string]string {
	d.t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(d.dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		found[name] = info.Mode().String()
		if !info.Mode().IsRegular() {
			return nil
		}
		content, err := os.ReadFile(name)
		found[name] += " " + strconv.Quote(string(content))
		return err
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return found
}

func TestBackupWhileWritten(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	w := startWriter(t, d.path("app/data/app.db"), 1<<30)
	d.run(backUp, events.Succeeded)
	w.wait(25)
	w.end()
	d.run(restore+"\nif sqlite.check(DIR + '/app/data/app.db') or verify_backup(BACKUP):\n    fail('damaged')", events.Succeeded)

	db, err := sql.Open("sqlite", d.path("app/data/app.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, last int
	var check string
	if err := errors.Join(
		db.QueryRow("SELECT count(*), max(n) FROM rows").Scan(&rows, &last),
		db.QueryRow("PRAGMA integrity_check").Scan(&check),
	); err != nil {
		t.Fatal(err)
	}
	// The 20 were committed before the backup began.
	if rows < 20 || rows != last || check != "ok" {
		t.Errorf("%d rows up to %d, integrity check: %s", rows, last, check)
	}
}

// TestFailedRestore checks that a restore that fails in the middle, or a run that fails after it, leaves all as it was.
func TestFailedRestore(t *testing.T) {
	tests := map[string]struct {
		prepare func(t *testing.T, d *deployed)
		body    string
		want    string
	}{
		"the run fails afterwards": {nil, restore + "\nfail('no reason')", "no reason"},
		"the second archive is refused": {func(t *testing.T, d *deployed) {
			d.write("backups/backup-20261122-150405/motd.tar.zst", "no archive")
		}, forge + restore, "motd.tar.zst: it is damaged, or no archive"},
		"the copy of the database is refused": {func(t *testing.T, d *deployed) {
			d.write("backups/backup-20261122-150405/app.db", "no database")
		}, forge + restore, "is not restored"},
		"somebody has the database open": {func(t *testing.T, d *deployed) {
			startWriter(t, d.path("app/data/app.db"), 1)
		}, restore, "is open in"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := deploy(t)
			startWriter(t, d.path("app/data/app.db"), 1).end()
			d.run(backUp, events.Succeeded)
			d.write("app/motd", "changed")
			d.write("app/data/new", "new")
			d.write("app/data/app.log", "left out")
			if test.prepare != nil {
				test.prepare(t, d)
			}
			before := d.files()
			told := d.run(test.body, events.RolledBack)
			if story := strings.Join(told.lines, "\n"); !strings.Contains(story, test.want) || !strings.Contains(story, "done fs.move") {
				t.Errorf("it did not fail as it should have, with %q:\n%s", test.want, story)
			}
			if diff := cmp.Diff(before, d.files()); diff != "" {
				t.Errorf("(-before +after):\n%s", diff)
			}
		})
	}
}

// TestRestoreAsRollback has trees and a database restored by the rollback, although the run did not change them.
func TestRestoreAsRollback(t *testing.T) {
	t.Parallel()
	d := deploy(t)
	startWriter(t, d.path("app/data/app.db"), 1).end()
	d.run(backUp, events.Succeeded)
	was, err := os.ReadFile(d.path("backups/backup-20261122-150405/app.db"))
	if err != nil {
		t.Fatal(err)
	}
	startWriter(t, d.path("app/data/app.db"), 2).end()
	d.write("app/motd", "changed before the run")
	d.write("app/data/upload", "changed before the run")
	d.write("app/data/new", "not in the backup")
	d.run(`rollback.push(restore_backup, BACKUP, `+parts+`)
fs.write(DIR + "/app/motd", "changed")
fail("no reason")`, events.RolledBack)
	for name, want := range map[string]string{"app/motd": "hello", "app/data/upload": "picture", "app/data/new": ""} {
		if got, err := os.ReadFile(d.path(name)); string(got) != want {
			t.Errorf("%s is %q, %v; want %q", name, got, err, want)
		}
	}
	if got, err := os.ReadFile(d.path("app/data/app.db")); err != nil || string(got) != string(was) {
		t.Errorf("the database is not the one of the backup: %v", err)
	}
}
