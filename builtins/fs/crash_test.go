//go:build failpoints

package fs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// These tests run this binary again as a process that runs a recipe, and that is killed at the first place where
// something may be interrupted, then at the second, and so on. Whatever is left, a rollback in another process
// must put everything back; and so must one that is itself killed at every place in turn.

const (
	childDir    = "FS_TEST_DIR" // the fixture's directory
	childRecipe = "FS_TEST_RECIPE"
)

// TestChild is the process that is killed. It does nothing unless it is told to.
func TestChild(t *testing.T) {
	base, recipe := os.Getenv(childDir), os.Getenv(childRecipe)
	if base == "" {
		return
	}
	f := fixture(t)
	f.Reopen(base)
	if recipe == "" {
		f.Rollback().Want(events.Restored)
		return
	}
	f.Run(recipe).Want(events.Succeeded)
}

// child runs the binary again, to be killed at the n-th place; 0: not at all.
func child(t *testing.T, f *familytest.Fixture, recipe string, n int) (killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childDir+"="+f.Base(), childRecipe+"="+recipe)
	if n > 0 {
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s=*:%d=kill", failpoint.Variable, n))
	}
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && st.Signaled() && st.Signal() == syscall.SIGKILL {
		return true
	}
	t.Fatalf("the child at place %d: %v\n%s", n, err, out)
	return false
}

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
		killed := child(t, f, killable, n)
		if r := f.Rollback(); r.Outcome.Result != events.Restored && !nothingToUndo(r) {
			t.Fatalf("killed at place %d, the rollback ended %s: %s %v", n, r.Outcome.Result, r.Outcome.Error, r.Outcome.Left)
		}
		familytest.SameTree(t, fmt.Sprintf("killed at place %d", n), familytest.Tree(t, f.Dir), before)
		if !killed {
			t.Logf("killed at %d places", n-1)
			return
		}
	}
}

// nothingToUndo reports whether the run was killed before it had begun anything.
func nothingToUndo(r *familytest.Result) bool {
	return r.Outcome.Result == events.Refused && strings.Contains(r.Outcome.Error, "no run to roll back")
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
		killed := child(t, f, "", n)
		if killed {
			if r := f.Rollback(); r.Outcome.Result != events.Restored && !nothingToUndo(r) {
				t.Fatalf("rollback killed at place %d, the next one ended %s: %s %v", n, r.Outcome.Result, r.Outcome.Error, r.Outcome.Left)
			}
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
