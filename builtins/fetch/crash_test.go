//go:build failpoints

package fetch

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

const (
	childDir    = "FETCH_TEST_DIR" // the fixture's directory
	childRecipe = "FETCH_TEST_RECIPE"
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

// child runs this binary again, to be killed at the n-th place where something may be interrupted.
func child(t *testing.T, f *familytest.Fixture, recipe string, n int) (killed bool) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childDir+"="+f.Base(), childRecipe+"="+recipe, fmt.Sprintf("%s=*:%d=kill", failpoint.Variable, n))
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

// TestKilledAnywhere kills a run at every place in turn, and then the rollback of a whole run at every place.
func TestKilledAnywhere(t *testing.T) {
	for _, phase := range []string{"run", "rollback"} {
		for n, killed := 1, true; killed; n++ {
			f, s := undoable(t)
			recipe := s.recipe(changes)
			before := familytest.Tree(t, f.Dir)
			if phase == "rollback" {
				f.Run(recipe).Want(events.Succeeded)
				killed = child(t, f, "", n)
			} else {
				killed = child(t, f, recipe, n)
			}
			r := f.Rollback()
			if nothing := strings.Contains(r.Outcome.Error, "no run to roll back"); r.Outcome.Result != events.Restored && !nothing {
				t.Fatalf("%s killed at place %d: the rollback ended %s: %s %v", phase, n, r.Outcome.Result, r.Outcome.Error, r.Outcome.Left)
			}
			familytest.SameTree(t, fmt.Sprintf("%s killed at place %d", phase, n), familytest.Tree(t, f.Dir), before)
			if !killed {
				t.Logf("%s: killed at %d places", phase, n-1)
			}
		}
	}
}
