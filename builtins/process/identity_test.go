package process

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime/events"
)

// A pidfile that names a process which has got the pid of another one names nobody.
func TestReusedPID(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	stranger, ok := proc.Identify(os.Getpid())
	if !ok {
		t.Fatal("this process is not there")
	}
	write(t, f, "s.pid", fmt.Sprintf("%d %d\n", stranger.PID, stranger.Start-1), 0o644)
	write(t, f, "s.state", fmt.Sprintf("status running\npid %d\nstarted %d\nrestarts 0\nexit_code \n", stranger.PID, stranger.Start-1), 0o644)
	if now := s.find(); now.any() {
		t.Errorf("found %+v", now)
	}
	for verb, code := range map[string]int{"status": 3, "stop": 0} {
		if out, got := byHand(t, []string{"sh"}, s, verb); got != code || !strings.Contains(out, "does not run") {
			t.Errorf("%s = %d, %q", verb, got, out)
		}
	}
	f.Run(`test.equal(process.status("s", DIR).running, False)
process.stop("s", DIR)`).Want(events.Succeeded) // which would end this test
	f.Run(sleeper).Want(events.Succeeded)
	wantRunning(t, s)
}
