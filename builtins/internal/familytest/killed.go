//go:build failpoints

package familytest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// The variables that tell a test binary that it is the process to be killed, and what it is to do.
const (
	childBase   = "INFRARUN_TEST_CHILD"  // the fixture's [Fixture.Base]
	childRecipe = "INFRARUN_TEST_RECIPE" // what to run; empty is a rollback
	childLine   = "INFRARUN_TEST_LINE"   // where to be killed, as [WhenPrinted]; empty is nowhere
)

// Child is all that the test TestChild of a package does whose tests use [Fixture.Killed]: the binary is run again, with
// that test alone, as the process that is killed. In any other process it does nothing.
func Child(t *testing.T, fixture func(testing.TB) *Fixture) {
	base, recipe := os.Getenv(childBase), os.Getenv(childRecipe)
	if base == "" {
		return
	}
	f := fixture(t)
	f.Reopen(base)
	if recipe == "" {
		f.Rollback().Want(events.Restored)
		return
	}
	var sinks []events.Sink
	if line := os.Getenv(childLine); line != "" {
		sinks = append(sinks, WhenPrinted(line, func() {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}))
	}
	r := f.RunContext(t.Context(), recipe, sinks...).Want(events.Succeeded)
	for _, e := range r.Events(events.Output) {
		t.Log(e.Text)
	}
}

// Killed runs a recipe in another process, or a rollback if the recipe is empty, and kills it at the n-th place where
// something may be interrupted. It reports whether there are so many places. It takes failpoints, and a TestChild.
func (f *Fixture) Killed(recipe string, n int) bool {
	f.t.Helper()
	killed, _ := f.killed(recipe, failpoint.Variable, fmt.Sprintf("*:%d=kill", n))
	return killed
}

// KilledAt does what [Fixture.Killed] does at the place of that name, which must be reached.
func (f *Fixture) KilledAt(recipe, place string) {
	f.t.Helper()
	if killed, out := f.killed(recipe, failpoint.Variable, place+"=kill"); !killed {
		f.t.Fatalf("it was not killed at %s:\n%s", place, out)
	}
}

// KilledWhenPrinted kills a recipe when its work prints a line with that text, which must be printed.
func (f *Fixture) KilledWhenPrinted(recipe, text string) {
	f.t.Helper()
	if killed, out := f.killed(recipe, childLine, text); !killed {
		f.t.Fatalf("it was not killed at %q:\n%s", text, out)
	}
}

// killed reports whether another process was killed, which is told where by a variable, and what it printed if it was not.
func (f *Fixture) killed(recipe, variable, where string) (bool, []byte) {
	f.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$", "-test.v")
	// A process that is killed does not remove its temporary directories: they are made in one of this process.
	cmd.Env = append(os.Environ(), "TMPDIR="+f.t.TempDir(), childBase+"="+f.Base(), childRecipe+"="+recipe, variable+"="+where)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false, out
	}
	if st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && st.Signaled() && st.Signal() == syscall.SIGKILL {
		return true, nil
	}
	f.t.Fatalf("the process to be killed at %s: %v\n%s", where, err, out)
	return false, nil
}

// PutBack rolls back what a process has left that was killed. There may be nothing: it was killed before it began.
func (f *Fixture) PutBack(when string) {
	f.t.Helper()
	o := f.Rollback().Outcome
	nothing := o.Result == events.Refused && strings.Contains(o.Error, "no run to roll back")
	if o.Result != events.Restored && !nothing {
		f.t.Fatalf("%s: the rollback ended %s: %s %v", when, o.Result, o.Error, o.Left)
	}
}

// KilledAnywhere kills a run of a recipe at every place in turn, and then the rollback of a whole run at every place.
// Each time a rollback in this process must leave DIR as it was. Ready returns a fixture on which the recipe can run.
func KilledAnywhere(t *testing.T, ready func(testing.TB) (f *Fixture, recipe string)) {
	for _, phase := range []string{"run", "rollback"} {
		for n, killed := 1, true; killed; n++ {
			f, recipe := ready(t)
			before := Tree(t, f.Dir)
			if phase == "rollback" {
				f.Run(recipe).Want(events.Succeeded)
				recipe = ""
			}
			killed = f.Killed(recipe, n)
			when := fmt.Sprintf("%s killed at place %d", phase, n)
			f.PutBack(when)
			SameTree(t, when, Tree(t, f.Dir), before)
			if !killed {
				t.Logf("%s: killed at %d places", phase, n-1)
			}
		}
	}
}
