package process

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime/events"
)

const sleeper = `process.start("s", ["sleep", "600"], dir = DIR)` + "\n"

func TestStartAndStop(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	r := f.Run(`
p = process.start("s", ["sleep", "600"], dir = DIR)
st = process.status("s", DIR)
test.equal((st.running, st.pid, st.restarts, st.exit_code), (True, p.pid, 0, None))
test.equal(st.command[1:], ["600"])
test.equal(st.uptime >= 0 and st.started > 1000000000, True)
`).Want(events.Succeeded)
	if got := r.Changes(); len(got) != 1 || got[0].Status != events.Done || !strings.HasPrefix(got[0].Summary, "start: /") {
		t.Errorf("changes = %+v", got)
	}
	now := wantRunning(t, s)
	stat, err := proc.ReadStat(now.command.PID)
	if err != nil || stat.Session != now.command.PID {
		t.Errorf("the command is not in a session of its own: %+v, %v", stat, err)
	}
	f.Run(`
process.stop("s", DIR)
st = process.status("s", DIR)
test.equal((st.running, st.pid, st.started, st.exit_code), (False, 0, 0.0, 143))
`).Want(events.Succeeded)
	wantGone(t, s)
	r = f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	if got := r.Summaries(); !slices.Equal(got, []string{"unchanged process.stop: does not run"}) {
		t.Errorf("the second time = %q", got)
	}
}

// What nobody has ever started does not run.
func TestUnknownProcess(t *testing.T) {
	f := fixture(t)
	f.Run(`
st = process.status("s", DIR)
test.equal((st.running, st.pid, st.command, st.exit_code), (False, 0, [], None))
process.stop("s", DIR)
`).Want(events.Succeeded)
	f.Run(`process.restart("s", DIR)`).Want(events.Refused).WantError("there is no process s in " + f.Dir)
}

func TestDetached(t *testing.T) {
	t.Setenv("SECRET_OF_THE_DEPLOYER", "x")
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	now := wantRunning(t, s)
	for _, pid := range []int{now.supervisor.PID, now.command.PID} {
		env := read(t, fmt.Sprintf("/proc/%d/environ", pid))
		if strings.Contains(env, "INFRARUN_RUN=") || strings.Contains(env, "SECRET_OF") {
			t.Errorf("environment of %d = %q", pid, env)
		}
		for _, entry := range []string{"PATH=" + servicePath, s.marker(), "LANG=C.UTF-8"} {
			if !slices.Contains(strings.Split(env, "\x00"), entry) {
				t.Errorf("environment of %d lacks %s: %q", pid, entry, env)
			}
		}
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
		if err != nil {
			t.Fatal(err)
		}
		allowed := []string{"/dev/null", s.file(".log"), s.script()}
		for _, fd := range fds {
			to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", pid, fd.Name()))
			if err == nil && !slices.Contains(allowed, to) {
				t.Errorf("%d has %s open", pid, to)
			}
		}
	}
}

func TestSideBySide(t *testing.T) {
	f := fixture(t)
	f.Run(`
def one(name):
    process.start(name, ["sleep", "600"], dir = DIR)
    return process.status(name, DIR).running
test.equal(parallel([(one, "s%d" % i) for i in range(8)], limit = 8), [True] * 8)
`).Want(events.Succeeded)
	for i := range 8 {
		wantRunning(t, service{f.Dir, fmt.Sprintf("s%d", i)})
	}
	f.Rollback().Want(events.Restored)
	if left := marked(f.Dir); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
}
