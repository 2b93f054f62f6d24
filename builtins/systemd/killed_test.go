package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// TestRunInChild runs a recipe for testKilled, in a process that can be killed; otherwise it has nothing to do.
func TestRunInChild(t *testing.T) {
	body := os.Getenv("TEST_BODY")
	if body == "" {
		return
	}
	f := newFixture(t)
	state, err := runtime.OpenState(os.Getenv("TEST_STATE"))
	if err != nil {
		t.Fatal(err)
	}
	f.State = state
	f.run(body).Want(events.Succeeded)
}

// Infrarun is killed at one place after the other, and what it left is rolled back by another process.
func testKilled(t *testing.T) {
	f := newFixture(t)
	put(t, "t-kill.service", service(1000))
	systemctl(t, "start", "t-kill")
	before := machine(t)
	body := units(map[string]string{"text": service(2000)}) + `
systemd.unit("t-kill", text)
systemd.enable("t-kill")
systemd.restart("t-kill")
`
	for n, kills := 1, 0; ; n++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestRunInChild$")
		cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "TEST_STATE="+f.State.Dir(), "TEST_BODY="+body,
			fmt.Sprintf("INFRARUN_FAILPOINT=*:%d=kill", n))
		out, err := cmd.CombinedOutput()
		killed := cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
		if err != nil && !killed {
			t.Fatalf("place %d: %v\n%s", n, err, out)
		}
		if r := f.ForceRollback(); r.Outcome.Result != events.Restored && !strings.Contains(r.Outcome.Error, "there is no run to roll back") {
			t.Fatalf("place %d: the rollback ended %s: %s", n, r.Outcome.Result, r.Outcome.Error)
		}
		same(t, fmt.Sprintf("killed at place %d", n), machine(t), before)
		if got := command(t, "t-kill"); got != "/bin/sleep 1000" {
			t.Errorf("killed at place %d, it runs %s", n, got)
		}
		if !killed {
			t.Logf("killed at %d places", kills)
			if kills < 10 {
				t.Error("that is too few")
			}
			return
		}
		kills++
	}
}
