package fs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func fixture(t testing.TB) *familytest.Fixture {
	t.Helper()
	return familytest.New(t, fs.Family())
}

// put writes a file of a test, with its directories.
func put(t testing.TB, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}

func content(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func modeOf(t testing.TB, path string) os.FileMode {
	t.Helper()
	fi, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return fi.Mode() & (os.ModePerm | os.ModeSetuid | os.ModeSetgid | os.ModeSticky)
}

// old makes what the recipes of these tests find.
func old(t testing.TB, dir string) {
	t.Helper()
	put(t, dir+"/app.conf", "port = 80\nname = app\n", 0o640)
	put(t, dir+"/private.env", "TOKEN=a-secret-of-old\n", 0o600)
	put(t, dir+"/setuid", "#!/bin/sh\n", 0o755|os.ModeSetuid)
	put(t, dir+"/releases/1/bin/app", "binary 1", 0o755)
	put(t, dir+"/releases/1/readonly/data", "data", 0o444)
	put(t, dir+"/tree/a", "a", 0o644)
	put(t, dir+"/tree/sub/b", "b", 0o600)
	link(t, "sub/b", dir+"/tree/link")
	link(t, "releases/1", dir+"/current")
}

// everything is a recipe with each of the changes.
const everything = `
fs.write(DIR + "/app.conf", "port = 8080\nname = app\n")
fs.write(DIR + "/app.conf", "port = 8081\nname = app\n", mode = "0600")
fs.write(DIR + "/private.env", "TOKEN=another-one\n")
fs.write(DIR + "/setuid", "#!/bin/bash\n")
fs.write(DIR + "/new", "new")
fs.mkdir(DIR + "/a/b/c", mode = "0750")
fs.write(DIR + "/a/b/c/file", "deep")
fs.write_all({DIR + "/tree/a": "changed", DIR + "/tree/new": "new", DIR + "/tree/sub/b": "b"}, mode = "0644")
fs.copy_tree(DIR + "/releases/1", DIR + "/releases/2", exclude = ["*.log"])
fs.copy(DIR + "/app.conf", DIR + "/releases/2/app.conf")
fs.copy(DIR + "/releases/1/bin/app", DIR + "/new")
fs.symlink("releases/2", DIR + "/current")
fs.write(DIR + "/current/via-link", "through the link")
fs.chmod(DIR + "/tree", "0700", recursive = True)
fs.permissions(DIR + "/releases", file_mode = "0600", dir_mode = "0711", exclude = ["1/bin", "via-link"])
fs.move(DIR + "/tree", DIR + "/moved")
fs.write(DIR + "/moved/a", "moved, then changed")
fs.remove(DIR + "/moved/sub")
fs.remove(DIR + "/a/b")
fs.symlink("nowhere", DIR + "/releases/1", force = True)
fs.remove(DIR + "/private.env")
fs.write(DIR + "/private.env", "TOKEN=yet-another\n", mode = "0600")
tmp = fs.temp_dir("work")
fs.write(tmp + "/x", "x")
fs.move(tmp + "/x", DIR + "/from-temp")
fs.remove(DIR + "/setuid")
`

func TestEverythingIsUndoneFromAnyPlace(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	if n := f.BreakEverywhere(everything); n != 2*26 {
		t.Errorf("the recipe was broken at %d places, want 52", n)
	}
}

func TestPreviewTellsWhatTheRunDoes(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	before := familytest.Tree(t, f.Dir)
	preview := f.Preview(everything).Want(events.WouldChange)
	familytest.SameTree(t, "after the preview", familytest.Tree(t, f.Dir), before)
	if _, err := os.Lstat(f.State.Dir()); !os.IsNotExist(err) {
		t.Errorf("the preview has left a state directory: %v", err)
	}
	run := f.Run(everything).Want(events.Succeeded)
	would, did := preview.Changes(events.Would, events.Unchanged), run.Changes(events.Done, events.Unchanged)
	if len(would) != len(did) {
		t.Fatalf("the preview lists %d changes, the run made %d", len(would), len(did))
	}
	for i := range would {
		would[i].ID, did[i].ID, would[i].Status, did[i].Status = 0, 0, "", ""
		if would[i] != did[i] {
			t.Errorf("the preview said\n%+v\nand the run did\n%+v", would[i], did[i])
		}
	}
}

func TestSecondRunFindsNothingToDo(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	recipe := `
fs.write(DIR + "/app.conf", "port = 8080\n", mode = "0644")
fs.mkdir(DIR + "/a/b", mode = "0750")
fs.write_all({DIR + "/a/%d" % i: "file %d" % i for i in range(10)})
fs.copy_tree(DIR + "/releases/1", DIR + "/releases/2")
fs.copy(DIR + "/app.conf", DIR + "/copy")
fs.symlink("releases/2", DIR + "/current")
fs.move(DIR + "/tree", DIR + "/moved")
fs.remove(DIR + "/setuid")
fs.chmod(DIR + "/private.env", "0400")
fs.chown(DIR + "/moved", "` + me() + `", recursive = True)
`
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
	second := f.Run(recipe).Want(events.Succeeded)
	if n := second.Outcome.Changes; n != 0 {
		t.Errorf("the second run made %d changes:\n%s", n, strings.Join(second.Summaries(), "\n"))
	}
}
