package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestDrift(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	if out, code := byHand(t, []string{"sh"}, s, "stop"); code != 0 {
		t.Fatalf("stop = %d, %s", code, out)
	}
	f.Rollback().Want(events.Refused).WantError("s: does not run any more")
	if out, code := byHand(t, []string{"sh"}, s, "start"); code != 0 {
		t.Fatalf("start = %d, %s", code, out)
	}
	f.Rollback().Want(events.Restored) // a person's restart is none
	wantGone(t, s)

	f = fixture(t)
	s = service{f.Dir, "s"}
	f.Run(sleeper + `process.stop("s", DIR)`).Want(events.Succeeded)
	if out, code := byHand(t, []string{"sh"}, s, "start"); code != 0 {
		t.Fatalf("start = %d, %s", code, out)
	}
	f.Rollback().Want(events.Refused).WantError("s: runs again, as process")
	f.ForceRollback().Want(events.Restored)
	wantGone(t, s)
}

// What carries the service's marker is found although no pidfile names it, as if infrarun and the supervisor
// were killed right after the start.
func TestStrayWithoutPidfile(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	stray := func() proc.Identity {
		cmd := exec.Command("sleep", "600")
		cmd.Env = append(os.Environ(), s.marker())
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go cmd.Wait()
		id, _ := proc.Identify(cmd.Process.Pid)
		return id
	}
	first := stray()
	r := f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	if got := r.Changes()[0].Summary; got != fmt.Sprintf("end what it left: processes [%d]", first.PID) || first.Alive() {
		t.Errorf("summary = %q, alive = %v", got, first.Alive())
	}
	second := stray()
	f.Run(sleeper).Want(events.Succeeded)
	if second.Alive() {
		t.Error("a start leaves it")
	}
}
