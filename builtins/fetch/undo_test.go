package fetch

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// changes makes every kind of change there is; prepared makes what it finds.
const (
	changes = `
fetch.file(URL + "/app", DIR + "/new", SUM["/app"])
fetch.file(URL + "/app", DIR + "/old", SUM["/app"], mode = "0755")
fetch.file(URL + "/app", DIR + "/link", SUM["/app"])
fetch.file(URL + "/app", DIR + "/same", SUM["/app"], mode = "0700")
fetch.tree(URL + "/1", DIR + "/absent", SUM["/1"])
fetch.tree(URL + "/1", DIR + "/empty", SUM["/1"])
fetch.tree(URL + "/2", DIR + "/tree", SUM["/2"])
`
	changesMade = 7
	prepared    = `
fetch.tree(URL + "/1", DIR + "/tree", SUM["/1"])
fs.write(DIR + "/old", "old", mode = "0600")
fs.write(DIR + "/same", "program")
fs.symlink("old", DIR + "/link")
fs.mkdir(DIR + "/empty", mode = "0711")
`
)

func undoable(t testing.TB) (*familytest.Fixture, *site) {
	f := fixture(t)
	s := newSite(t, map[string][]byte{"/app": []byte("program"), "/1": npm(t, "1"), "/2": npm(t, "2")})
	f.Run(s.recipe(prepared)).Want(events.Succeeded)
	// What was prepared is not for a rollback to undo.
	runs := filepath.Join(f.Base(), "state", "runs")
	must(t, os.RemoveAll(runs))
	must(t, os.Mkdir(runs, 0o700))
	return f, s
}

func TestUndo(t *testing.T) {
	f, s := undoable(t)
	f.UndoTwice(s.recipe(changes))
	if places := f.BreakEverywhere(s.recipe(changes)); places != 2*changesMade {
		t.Errorf("the recipe was broken at %d places, want before and after each of %d changes", places, changesMade)
	}
}

// What a failed attempt leaves is still the operator's: removing it later in the same run must keep it.
func TestUndoAfterFailure(t *testing.T) {
	f, s := undoable(t)
	before := familytest.Tree(t, f.Dir)
	f.Run(s.recipe(`
r = attempt(fetch.tree, URL + "/2", DIR + "/tree", SUM["/1"][:-1] + ("0" if SUM["/1"][-1] != "0" else "1"))
test.equal(r.ok, False)
fs.remove(DIR + "/tree")
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

// One run makes a tree, replaces it and removes it.
func TestUndoOfItsOwn(t *testing.T) {
	f, s := undoable(t)
	before := familytest.Tree(t, f.Dir)
	f.Run(s.recipe(`
fetch.tree(URL + "/1", DIR + "/own", SUM["/1"])
fetch.tree(URL + "/2", DIR + "/own", SUM["/2"])
fetch.tree(URL + "/1", DIR + "/own", SUM["/1"], strip = 1)
fs.remove(DIR + "/own")
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

// A tree that somebody replaced since is not taken away without a word.
func TestDrift(t *testing.T) {
	f, s := undoable(t)
	f.Run(s.recipe(`fetch.tree(URL + "/1", DIR + "/drift", SUM["/1"])`)).Want(events.Succeeded)
	must(t, os.WriteFile(filepath.Join(f.Dir, "drift/.fetched"), []byte("another"), 0o644))
	if r := f.Rollback(); r.Outcome.Result == events.Restored {
		t.Error("it was rolled back")
	}
	f.ForceRollback().Want(events.Restored)
}
