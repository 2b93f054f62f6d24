//go:build failpoints

package process

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// Infrarun is killed in the middle of a start: before the files are written, before the supervisor is started
// and right after, when it has not written its pidfile yet.
func TestKilledInTheMiddle(t *testing.T) {
	for _, place := range []string{"filesys.before-rename", "filesys.after-rename", "process.before-launch", "process.after-launch"} {
		t.Run("first "+place, func(t *testing.T) {
			f := fixture(t)
			before := familytest.Tree(t, f.Dir)
			killed(t, f, sleeper, "", "INFRARUN_FAILPOINT="+place+"=kill")
			f.Rollback().Want(events.Restored)
			wantGone(t, service{f.Dir, "s"})
			familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
		})
		t.Run("instead "+place, func(t *testing.T) {
			f := fixture(t)
			s := service{f.Dir, "s"}
			releases(t, f)
			f.Run(startCurrent).Want(events.Succeeded)
			first, before := wantRunning(t, s), tree(t, f)
			killed(t, f, switchLink+startCurrent, "", "INFRARUN_FAILPOINT="+place+"=kill")
			f.Rollback().Want(events.Restored)
			if now := wantRunning(t, s); now.command == first.command || now.state.Executable != f.Dir+"/releases/one/app" {
				t.Errorf("what runs is %+v", now)
			}
			familytest.SameTree(t, "after the rollback", tree(t, f), before)
		})
	}
}

// A start that fails, as on a full disk, is undone like any other change.
func TestFailedInTheMiddle(t *testing.T) {
	for _, place := range []string{"filesys.before-rename", "process.before-launch", "process.after-launch"} {
		t.Run(place, func(t *testing.T) {
			f := fixture(t)
			s := service{f.Dir, "s"}
			f.Run(sleeper).Want(events.Succeeded)
			before := tree(t, f)
			out := inChild(t, f, `process.start("s", ["sleep", "601"], dir = DIR)`, "INFRARUN_FAILPOINT="+place+"=error")
			if want := "the run ended rolled_back"; !strings.Contains(out, want) {
				t.Errorf("it lacks %q:\n%s", want, out)
			}
			wantRunning(t, s)
			familytest.SameTree(t, "after the rollback", tree(t, f), before)
		})
	}
}

// inChild runs a recipe in another process, which has failpoints, and returns what that prints.
func inChild(t *testing.T, f *familytest.Fixture, body string, env ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunInChild$")
	cmd.Env = append(childEnv(t, f, body, ""), env...)
	out, _ := cmd.CombinedOutput() // it fails, as the run does
	return string(out)
}
