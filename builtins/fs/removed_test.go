package fs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// removals are recipes that remove for good what they have made, after having changed something in it: the undo of that
// finds no directory.
var removals = map[string]string{
	"write, write, remove": `
fs.mkdir(DIR + "/a/b")
fs.write(DIR + "/a/b/f", "1")
fs.write(DIR + "/a/b/f", "2", mode = "0600")
fs.chmod(DIR + "/a/b", "0700")
fs.remove(DIR + "/a")`,
	"copy, write, remove, make again": `
fs.copy_tree(DIR + "/tree", DIR + "/copy")
fs.write(DIR + "/copy/sub/b", "changed")
fs.symlink("elsewhere", DIR + "/copy/link", force = True)
fs.remove(DIR + "/copy")
fs.mkdir(DIR + "/copy")
fs.write(DIR + "/copy/sub", "a file")`,
	"write into, copy over, remove": `
fs.mkdir(DIR + "/copy/sub", mode = "0700")
fs.write_all({DIR + "/copy/a": "1", DIR + "/copy/sub/b": "1"})
fs.copy_tree(DIR + "/tree", DIR + "/copy")
fs.remove(DIR + "/copy/sub")
fs.remove(DIR + "/copy")`,
	"write, move, write, remove": `
fs.mkdir(DIR + "/a")
fs.write(DIR + "/a/f", "1")
fs.move(DIR + "/a", DIR + "/b")
fs.write(DIR + "/b/f", "2")
fs.remove(DIR + "/b")`,
	"move out, remove": `
fs.mkdir(DIR + "/a/b")
fs.write(DIR + "/a/b/f", "1")
fs.move(DIR + "/a/b/f", DIR + "/tree/f")
fs.write(DIR + "/tree/f", "2")
fs.remove(DIR + "/a")`,
	"move through": `
fs.mkdir(DIR + "/a")
fs.move(DIR + "/tree", DIR + "/a/tree")
fs.write(DIR + "/a/tree/a", "changed")
fs.move(DIR + "/a/tree", DIR + "/moved")
fs.remove(DIR + "/a")`,
	"remove what is not ours in it": `
fs.mkdir(DIR + "/a")
fs.move(DIR + "/tree", DIR + "/a/tree")
fs.write(DIR + "/a/tree/a", "changed")
fs.write(DIR + "/a/f", "1")
fs.write(DIR + "/a/f", "2")
fs.remove(DIR + "/a/tree")
fs.remove(DIR + "/a")`,
	"a file in its place": `
fs.mkdir(DIR + "/a")
fs.write(DIR + "/a/f", "1")
fs.write(DIR + "/a/f", "2")
fs.remove(DIR + "/a")
fs.write(DIR + "/a", "a file")`,
}

func TestUndoInWhatTheRunRemoved(t *testing.T) {
	for name, recipe := range removals {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := fixture(t)
			old(t, f.Dir)
			f.BreakEverywhere(recipe)
		})
	}
}

// The directory that is made again is the real one: the link leads nowhere by then.
func TestUndoInWhatTheRunRemovedBehindALink(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	before := familytest.Tree(t, f.Dir)
	f.Run(`
fs.mkdir(DIR + "/releases/2")
fs.symlink("releases/2", DIR + "/current", force = True)
fs.write(DIR + "/current/f", "1")
fs.write(DIR + "/current/f", "2")
fs.remove(DIR + "/releases/2")
fail("no")
`).Want(events.RolledBack)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

// What somebody else has removed is not made again behind his back: the undo says that it cannot be put back.
func TestUndoInWhatAStrangerRemoved(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	f.Run(`fs.write(DIR + "/tree/a", "changed")`).Want(events.Succeeded)
	if err := os.RemoveAll(f.Dir + "/tree"); err != nil {
		t.Fatal(err)
	}
	before := familytest.Tree(t, f.Dir)
	f.ForceRollback().Want(events.Incomplete)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

// What a run keeps to be undone takes room only as long as it may be undone.
func TestKeptContentsGo(t *testing.T) {
	f := fixture(t)
	contents := func(want int) {
		t.Helper()
		found, err := filepath.Glob(filepath.Join(f.State.Dir(), "runs/*/blobs/*"))
		if err != nil || len(found) != want {
			t.Errorf("kept are %v, %v, want %d", found, err, want)
		}
	}
	f.Run(`fs.write(DIR + "/a", "old")`).Want(events.Succeeded)
	for range 3 {
		f.Run("fs.write(DIR + \"/a\", \"new\")\nfail(\"a later step fails\")").Want(events.RolledBack)
		contents(0)
	}
	f.Run(`fs.write(DIR + "/a", "new")`).Want(events.Succeeded)
	contents(1)
	f.Rollback().Want(events.Restored)
	contents(0)
}
