//go:build failpoints

package fs_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// These tests run this binary again as a process that runs a recipe, and that is killed at the first place where
// something may be interrupted, then at the second, and so on. Whatever is left, a rollback in another process
// must put everything back; and so must one that is itself killed at every place in turn.

func TestChild(t *testing.T) { familytest.Child(t, fixture) }

const killable = `
fs.write(DIR + "/app.conf", "changed")
fs.write_all({DIR + "/tree/a": "changed", DIR + "/tree/new": "new", DIR + "/private.env": "x"})
fs.copy_tree(DIR + "/releases/1", DIR + "/releases/2")
fs.symlink("releases/2", DIR + "/current")
fs.move(DIR + "/disk/tree", DIR + "/moved")
fs.remove(DIR + "/disk/other")
fs.remove(DIR + "/tree")
`

func TestKilledAnywhere(t *testing.T) {
	for n := 1; ; n++ {
		f := fixture(t)
		old(t, f.Dir)
		disk(t, f.Dir+"/disk", 1<<20)
		put(t, f.Dir+"/disk/tree/a/b", "b", 0o640)
		put(t, f.Dir+"/disk/other/c", "c", 0o600)
		before := familytest.Tree(t, f.Dir)
		killed := f.Killed(killable, n)
		f.PutBack(fmt.Sprintf("killed at place %d", n))
		familytest.SameTree(t, fmt.Sprintf("killed at place %d", n), familytest.Tree(t, f.Dir), before)
		if !killed {
			t.Logf("killed at %d places", n-1)
			return
		}
	}
}

func TestRollbackKilledAnywhere(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	disk(t, f.Dir+"/disk", 1<<20)
	put(t, f.Dir+"/disk/tree/a/b", "b", 0o640)
	put(t, f.Dir+"/disk/other/c", "c", 0o600)
	before := familytest.Tree(t, f.Dir)
	for n := 1; ; n++ {
		f.Run(killable + `fs.mkdir(DIR + "/disk/made")`).Want(events.Succeeded)
		put(t, f.Dir+"/disk/made/stranger", fmt.Sprint("stranger ", n), 0o644)
		killed := f.Killed("", n)
		if killed {
			f.PutBack(fmt.Sprintf("rollback killed at place %d", n))
		}
		familytest.SameTree(t, fmt.Sprintf("rollback killed at place %d", n), familytest.Tree(t, f.Dir), before)
		if !kept(t, f, fmt.Sprint("stranger ", n)) {
			t.Fatalf("rollback killed at place %d: what a stranger had put into a directory of the run is lost", n)
		}
		if !killed {
			t.Logf("killed at %d places", n-1)
			return
		}
	}
}

// kept reports whether a content is among what undos have put aside.
func kept(t *testing.T, f *familytest.Fixture, want string) bool {
	t.Helper()
	found, err := filepath.Glob(f.State.Dir() + "/runs/*/trash/*/stranger")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(found, func(path string) bool { return content(t, path) == want })
}
