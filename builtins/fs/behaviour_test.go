package fs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestPreviewSeesWhatItPredicted(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	recipe := everything + `
test.equal(fs.read(DIR + "/app.conf"), "port = 8081\nname = app\n")
test.equal(fs.stat(DIR + "/app.conf").mode, "0600")
test.equal(fs.read(DIR + "/releases/2/via-link", default = "none"), "through the link")
test.equal(fs.readlink(DIR + "/current"), "releases/2")
test.equal(fs.readlink(DIR + "/releases/1"), "nowhere")
test.equal(fs.exists(DIR + "/releases/1"), False)
test.equal(fs.is_link(DIR + "/releases/1"), True)
test.equal(fs.is_dir(DIR + "/current/bin"), True)
test.equal(fs.is_file(DIR + "/current/bin"), False)
test.equal(fs.list(DIR), ["a", "app.conf", "current", "from-temp", "moved", "new", "private.env", "releases"])
test.equal(fs.list(DIR + "/moved"), ["a", "link", "new"])
test.equal(fs.read(DIR + "/moved/a"), "moved, then changed")
test.equal(fs.exists(DIR + "/tree/a"), False)
test.equal(fs.read(DIR + "/tree/a", default = "gone"), "gone")
test.equal(fs.glob(DIR + "/releases/*/bin/*"), [DIR + "/releases/2/bin/app"])
test.equal(fs.glob(DIR + "/**/app"), [DIR + "/releases/2/bin/app"])
test.equal(fs.read(DIR + "/from-temp"), "x")
test.equal(fs.list(tmp), [])
test.equal(fs.stat(tmp).mode, "0700")
test.equal(fs.size(DIR + "/moved"), len("moved, then changed") + len("new"))
test.equal(fs.sha256(DIR + "/new"), fs.sha256(DIR + "/releases/2/bin/app"))
test.equal(fs.stat(DIR + "/nothing").exists, False)
test.equal(fs.stat(DIR + "/nothing").kind, "")
test.equal(fs.stat(DIR + "/current").kind, "dir")
test.equal(fs.stat(DIR + "/current", follow = False).kind, "link")
test.equal(fs.stat(DIR + "/current", follow = False).target, "releases/2")
test.equal(fs.stat(DIR + "/new").uid, ` + me() + `)
usage = fs.usage(DIR + "/no/such/directory")
test.equal(usage.total >= usage.free and usage.free > 0 and 0 < usage.percent and usage.percent <= 100, True)
`
	f.Preview(recipe).Want(events.WouldChange)
	f.Run(recipe).Want(events.Succeeded)
}

func TestWhatTheRunMadeIsDeleted(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/precious", "precious", 0o644)
	f.Run(`
fs.mkdir(DIR + "/site/sub")
fs.write(DIR + "/site/sub/file", "x" * 1000)
fs.move(DIR + "/precious", DIR + "/site/precious")
fs.remove(DIR + "/site/sub")
fs.remove(DIR + "/site")
`).Want(events.Succeeded)
	trash, err := filepath.Glob(f.State.Dir() + "/runs/*/trash/*")
	if err != nil || len(trash) != 1 {
		t.Fatalf("in the trash are %q, %v; want only the directory with what was moved there", trash, err)
	}
	if got := content(t, trash[0]+"/precious"); got != "precious" {
		t.Errorf("what was moved into a directory of the run is now %q", got)
	}
	f.Rollback().Want(events.Restored)
	if got := content(t, f.Dir+"/precious"); got != "precious" {
		t.Errorf("after the rollback it is %q", got)
	}
	if _, err := os.Lstat(f.Dir + "/site"); !os.IsNotExist(err) {
		t.Errorf("the directory is still there: %v", err)
	}
}

func TestStrangersAreKept(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/old/file", "old", 0o644)
	f.Run(`
fs.mkdir(DIR + "/new")
fs.write(DIR + "/new/config", "ours")
fs.remove(DIR + "/old")
`).Want(events.Succeeded)
	put(t, f.Dir+"/new/database", "of a service", 0o644)
	put(t, f.Dir+"/old/again", "of a stranger", 0o644)
	f.Rollback().Want(events.Refused).WantError("has changed since", "is there again")
	r := f.ForceRollback().Want(events.Restored)
	if got := familytest.Tree(t, f.Dir); strings.Contains(got, "new") || strings.Contains(got, "again") {
		t.Errorf("the tree is\n%s", got)
	}
	kept := map[string]string{"database": "of a service", "again": "of a stranger"}
	for name, want := range kept {
		found, err := filepath.Glob(f.State.Dir() + "/runs/*/trash/*/" + name)
		if err != nil || len(found) != 1 || content(t, found[0]) != want {
			t.Errorf("%s was not kept: %q, %v", name, found, err)
		}
	}
	warned := 0
	for _, e := range r.Events(events.Log) {
		if e.Level == "warn" && strings.Contains(e.Text, "it is kept as") {
			warned++
		}
	}
	if warned != 2 {
		t.Errorf("%d warnings say where strange files are kept, want 2", warned)
	}
}

// TestInARollback calls builtins as actions of a rollback, where nothing is kept to undo them with.
func TestInARollback(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	put(t, f.Dir+"/marker", "to be removed", 0o644)
	f.Run(`
fs.write(DIR + "/app.conf", "changed")
rollback.push(fs.remove, DIR + "/marker")
rollback.push(fs.symlink, "elsewhere", DIR + "/tree", force = True)
rollback.push(fs.write, DIR + "/note", "rolled back")
rollback.push(fs.copy_tree, DIR + "/releases/1", DIR + "/again")
rollback.push(fs.mkdir, DIR + "/made/deep")
rollback.push(fs.move, DIR + "/setuid", DIR + "/moved")
rollback.push(fs.temp_dir)
fail("no")
`).Want(events.RolledBack)
	tree := familytest.Tree(t, f.Dir)
	for _, there := range []string{"tree Lrwxrwxrwx", "note -rw", "again/bin/app -rwx", "made/deep d", "moved u", "app.conf"} {
		if !strings.Contains(tree, "\n"+there) {
			t.Errorf("the tree lacks %q:\n%s", there, tree)
		}
	}
	if strings.Contains(tree, "marker") || content(t, f.Dir+"/app.conf") == "changed" {
		t.Errorf("the tree is\n%s", tree)
	}
}

// TestNamesAreBytes handles names that are no text, which JSON cannot hold.
func TestNamesAreBytes(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/src/caf\xe9", "latin-1", 0o640)
	put(t, f.Dir+"/src/\xff/\xfe", "x", 0o600)
	link(t, "\xfd", f.Dir+"/src/link")
	f.BreakEverywhere(`
fs.copy_tree(DIR + "/src", DIR + "/dst")
fs.chmod(DIR + "/src", "0700", recursive = True)
fs.write_all({DIR + "/src/" + name: "new" for name in fs.list(DIR + "/src") if fs.is_file(DIR + "/src/" + name)})
fs.move(DIR + "/src", DIR + "/moved")
`)
}

func TestDrift(t *testing.T) {
	tests := []struct {
		name, recipe string
		drift        func(dir string) error
		want         string // "" if it is none
	}{
		{"touched", `fs.write(DIR + "/f", "x")`, func(d string) error { return os.WriteFile(d+"/f", []byte("x"), 0) }, ""},
		{"content", `fs.write(DIR + "/f", "x")`, func(d string) error { return os.WriteFile(d+"/f", []byte("y"), 0) }, "content has changed"},
		{"private", `fs.write(DIR + "/f", "x", mode = "0600")`, func(d string) error { return os.WriteFile(d+"/f", []byte("yy"), 0) }, "content has changed"},
		{"mode", `fs.write(DIR + "/f", "x")`, func(d string) error { return os.Chmod(d+"/f", 0o600) }, "had mode 0644, has 0600"},
		{"gone", `fs.write(DIR + "/f", "x")`, func(d string) error { return os.Remove(d + "/f") }, "is gone"},
		{"in a tree", `fs.copy_tree(DIR + "/src", DIR + "/dst")`, func(d string) error { return os.WriteFile(d+"/dst/a", []byte("yy"), 0) }, "/dst/a: its content has changed"},
		{"beside a tree", `fs.copy_tree(DIR + "/src", DIR + "/dst")`, func(d string) error { return os.WriteFile(d+"/dst/new", nil, 0o600) }, ""},
		{"one of many", `fs.write_all({DIR + "/1": "", DIR + "/2": ""})`, func(d string) error { return os.Remove(d + "/2") }, "/2: is gone"},
		{"link", `fs.symlink("a", DIR + "/l")`, func(d string) error {
			return os.Remove(d + "/l")
		}, "is gone"},
		{"moved", `fs.move(DIR + "/src", DIR + "/dst")`, func(d string) error { return os.Mkdir(d+"/src", 0o755) }, "is there again"},
		{"chmod", `fs.chmod(DIR + "/src/a", "0600")`, func(d string) error { return os.Chmod(d+"/src/a", 0o666) }, "had mode 0600, has 0666"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fixture(t)
			put(t, f.Dir+"/src/a", "a", 0o644)
			f.Run(tt.recipe).Want(events.Succeeded)
			if err := tt.drift(f.Dir); err != nil {
				t.Fatal(err)
			}
			r := f.Rollback()
			if tt.want == "" {
				r.Want(events.Restored)
				return
			}
			r.Want(events.Refused).WantError(tt.want)
			f.ForceRollback().Want(events.Restored)
		})
	}
}

func TestTempDir(t *testing.T) {
	f := fixture(t)
	var path string
	recipe := func(end string) string {
		return `
a = fs.temp_dir("build")
b = fs.temp_dir()
fs.write(a + "/x", "x")
fs.mkdir(a + "/d/e")
fs.write(a + "/d/e/f", "f")
fs.remove(a + "/x")
test.equal(fs.list(a), ["d"])
test.equal(fs.list(b), [])
test.equal(fs.glob(a + "/d/*/f"), [a + "/d/e/f"])
fs.write(DIR + "/a", a)
fs.remove(DIR + "/a")
print(a)
` + end
	}
	printed := func(r *familytest.Result) string {
		for _, e := range r.Events(events.Log) {
			if e.Level == "info" {
				return e.Text
			}
		}
		return ""
	}
	preview := printed(f.Preview(recipe("")).Want(events.WouldChange))
	path = printed(f.Run(recipe(`fail("no")`)).Want(events.RolledBack))
	if path == "" || preview != path {
		t.Errorf("the preview has %q, the run %q; want the same path", preview, path)
	}
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Errorf("after a failure the directory is still there: %v", err)
	}
	// What an earlier run has left is not found by a later one.
	f.Run(recipe("")).Want(events.Succeeded)
	f.Run(recipe("")).Want(events.Succeeded)
}

// TestSealed looks for contents that must not be readable in what infrarun keeps.
func TestSealed(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	f.Run(`
fs.write(DIR + "/private.env", "new")
fs.write_all({DIR + "/app.conf": "x", DIR + "/private.env": "newer"}, mode = "0600")
fs.write(DIR + "/private.env", "newest")
`).Want(events.Succeeded)
	err := filepath.WalkDir(f.State.Dir(), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.Contains(content(t, path), "a-secret-of-old") {
			t.Errorf("%s holds what a private file had in it", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
