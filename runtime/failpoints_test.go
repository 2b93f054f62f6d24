//go:build failpoints

package runtime

import (
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
	"github.com/infrarun/infrarun/runtime/journal"
)

const (
	twoPuts  = "box.put(DIR + \"/a\", \"new\")\nbox.put(DIR + \"/b\", \"new\")\n"
	oldTree  = "a=old\n"
	bothPuts = "a=new\nb=new\n"
)

// fails runs a recipe in another process that fails at a place.
func (l *lab) fails(body, plan string) (exit int, killed bool, output string) {
	l.t.Helper()
	cmd := l.inAnotherProcess(body, failpoint.Variable+"="+plan)
	out, err := cmd.Output()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		l.t.Fatal(err)
	}
	status := cmd.ProcessState.Sys().(syscall.WaitStatus)
	return status.ExitStatus(), status.Signaled(), string(out)
}

// A disk that fails for a moment, wherever, ends the run as the exit code says.
func TestFailingWrites(t *testing.T) {
	tests := []struct {
		plan, body string
		exit       int
		outcome    journal.Outcome
	}{
		{"journal.before-intend=error", twoPuts, ExitRefused, journal.Clean},
		{"journal.write-intend=error", twoPuts, ExitRefused, journal.Clean},
		{"journal.sync-intend=error", twoPuts, ExitRefused, journal.Clean},
		{"journal.sync-intend:2=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.before-done=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.write-done:2=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.before-finished=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.sync-finished=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.synced-finished=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"journal.before-undoing=error", twoPuts + `fail("no")`, ExitRolledBack, journal.RolledBack},
		{"journal.sync-undoing=error", twoPuts + `fail("no")`, ExitRolledBack, journal.RolledBack},
		{"journal.write-undone=error", twoPuts + `fail("no")`, ExitRolledBack, journal.RolledBack},
		{"journal.sync-undone:2=error", twoPuts + `fail("no")`, ExitRolledBack, journal.RolledBack},
		{"journal.write-finished=error", twoPuts + `fail("no")`, ExitRolledBack, journal.RolledBack},
		{"journal.write-finished=error", `fail("no")`, ExitRefused, journal.Clean},
		{"blob.before-sync=error", twoPuts, ExitRefused, journal.Clean},
		{"door.before-apply=error", twoPuts, ExitRolledBack, journal.RolledBack},
		{"door.after-apply:2=error", twoPuts, ExitRolledBack, journal.RolledBack},
	}
	for _, tt := range tests {
		t.Run(tt.plan, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			writeFile(t, l.path("a"), "old")
			exit, _, out := l.fails(tt.body, tt.plan)
			if exit != tt.exit {
				t.Errorf("exit %d, want %d\n%s", exit, tt.exit, out)
			}
			l.wantTree(oldTree)
			if st := l.journal(); st.Outcome != tt.outcome {
				t.Errorf("the journal says %q, want %q", st.Outcome, tt.outcome)
			}
			l.run(twoPuts).want(events.Succeeded, ExitDone)
		})
	}
}

// An undo that fails is gone on with.
func TestFailingUndo(t *testing.T) {
	for _, plan := range []string{"rollback.before-undo=error", "rollback.after-undo=error"} {
		l := newLab(t)
		writeFile(t, l.path("a"), "old")
		exit, _, out := l.fails(twoPuts+`fail("no")`, plan)
		if exit != ExitIncomplete || !strings.Contains(out, "left: {box.put "+l.path("b")) {
			t.Errorf("%s: exit %d\n%s", plan, exit, out)
		}
		l.rollback("").want(events.Restored, ExitDone)
		l.wantTree(oldTree)
	}
}

// Killed, torn or failing at every single place, in a run that succeeds and in one that fails: what the
// exit code says is true, and a rollback puts back the rest.
func TestEveryFailpoint(t *testing.T) {
	for _, action := range []string{"kill", "torn", "error"} {
		for what, body := range map[string]string{"succeeds": twoPuts, "fails": twoPuts + `fail("no")`} {
			t.Run(action+", "+what, func(t *testing.T) {
				t.Parallel()
				n := 1
				for l := newLab(t); l.failsAt(body, fmt.Sprintf("*:%d=%s", n, action)); l = newLab(t) {
					n++
				}
				if n < 20 {
					t.Errorf("there were only %d places", n)
				}
			})
		}
	}
}

// failsAt reports whether the run failed at the place, and checks what it left.
func (l *lab) failsAt(body, plan string) bool {
	l.t.Helper()
	writeFile(l.t, l.path("a"), "old")
	exit, killed, out := l.fails(body, plan)
	fails := strings.HasSuffix(body, `fail("no")`)
	switch {
	case killed, exit == ExitIncomplete:
		l.afterACrash(plan)
		return true
	case exit == ExitDone:
		l.wantTree(bothPuts)
		return false // it got to the end; an error at any place would have ended it
	case exit != ExitRefused && exit != ExitRolledBack:
		l.t.Fatalf("%s: exit %d\n%s", plan, exit, out)
	}
	l.wantTree(oldTree)
	l.run(twoPuts).want(events.Succeeded, ExitDone)
	return strings.Contains(out, failpoint.ErrInjected.Error()) || !fails || l.injectedInTheLog()
}

// afterACrash rolls back what a crash left: the run as a whole, if it was not yet rolled back or begun.
func (l *lab) afterACrash(plan string) {
	l.t.Helper()
	_, pending, err := l.state.unfinished()
	if err != nil {
		l.t.Fatalf("%s: %v", plan, err)
	}
	runs, err := l.state.Runs()
	if err != nil {
		l.t.Fatalf("%s: %v", plan, err)
	}
	committed := len(runs) > 0 && runs[0].Outcome != nil && runs[0].Outcome.Result == events.Succeeded
	if committed {
		l.wantTree(bothPuts)
	}
	if pending || committed {
		l.rollback("").want(events.Restored, ExitDone)
	}
	l.wantTree(oldTree)
	l.run(twoPuts).want(events.Succeeded, ExitDone)
}

// injectedInTheLog reports whether a run told of an error of a failpoint that it survived.
func (l *lab) injectedInTheLog() bool {
	l.t.Helper()
	runs, err := l.state.Runs()
	if err != nil {
		l.t.Fatal(err)
	}
	for _, r := range runs {
		if strings.Contains(readFile(l.t, l.state.RunDir(r.Run.ID)+"/deploy.log"), failpoint.ErrInjected.Error()) {
			return true
		}
	}
	return false
}
