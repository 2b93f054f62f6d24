package process

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
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

func TestNothingToDo(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	first := wantRunning(t, s)
	if got := f.Preview(sleeper).Want(events.NoChange).Summaries(); got[0] != "unchanged process.start: runs as it should" {
		t.Errorf("preview = %q", got)
	}
	f.Run(sleeper + `test.equal(process.start("s", ["sleep", "600"], dir = DIR).pid > 0, True)`).Want(events.Succeeded)
	if now := wantRunning(t, s); now != first {
		t.Errorf("it was started again: %+v, before %+v", now, first)
	}
}

func TestRestartWhereSomethingDiffers(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	write(t, f, "env", "A=1\n", 0o600)
	write(t, f, "one/app", "#!/bin/sh\nexec sleep 600\n", 0o755)
	write(t, f, "two/app", "#!/bin/sh\nexec sleep 600\n", 0o755)
	link := filepath.Join(f.Dir, "current")
	start := func(extra string) string {
		return fmt.Sprintf(`process.start("s", ["current/app", "x"], dir = DIR, cwd = DIR%s)`, extra)
	}
	if err := os.Symlink("one", link); err != nil {
		t.Fatal(err)
	}
	f.Run(start("")).Want(events.Succeeded)
	last := wantRunning(t, s)
	for _, step := range []struct {
		extra string
		do    func()
		want  string
	}{
		{extra: `, env = {"A": "1"}`, want: "env"},
		{extra: `, env = {"A": "1"}, ports = [65000]`, want: "ports"},
		{extra: `, env_file = DIR + "/env"`, want: "env, env_file, contents of env_file, ports"},
		{extra: `, env_file = DIR + "/env"`, do: func() { write(t, f, "env", "A=22\n", 0o600) }, want: "contents of env_file"},
		{extra: `, log = DIR + "/other.log", stop_timeout = 1.5`, want: "env_file, contents of env_file, log, stop_timeout"},
		{extra: ``, want: "log, stop_timeout"},
		{extra: ``, do: func() { write(t, f, "one/app", "#!/bin/sh\nexec sleep 6000\n", 0o755) }, want: "executable"},
		{extra: ``, do: func() { os.Remove(link); os.Symlink("two", link) }, want: "executable"},
		{extra: ``, do: func() { write(t, f, "s.sh", "#!/bin/sh\n", 0o755) }, want: "start script"},
	} {
		if step.do != nil {
			step.do()
		}
		r := f.Run(start(step.extra)).Want(events.Succeeded)
		got := r.Changes()[0]
		if want := "restart with another " + step.want + ": "; got.Status != events.Done || !strings.HasPrefix(got.Summary, want) {
			t.Errorf("%s: %s %q, want %q", step.extra, got.Status, got.Summary, want)
		}
		now := wantRunning(t, s)
		if now.supervisor == last.supervisor || last.supervisor.Alive() || last.command.Alive() {
			t.Errorf("%s: the old process was not ended", step.extra)
		}
		last = now
		f.Run(start(step.extra)).Want(events.Succeeded)
		if now := wantRunning(t, s); now != last {
			t.Errorf("%s: it is not the same the second time", step.extra)
		}
	}
}

// A command that goes on to run from another directory than the one its cwd now leads to is another one.
func TestRestartWhereCwdLeadsElsewhere(t *testing.T) {
	f := fixture(t)
	for _, dir := range []string{"one", "two"} {
		if err := os.Mkdir(filepath.Join(f.Dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	body := `
exec.run(["ln", "-sfn", "one", "current"], cwd = DIR)
process.start("s", ["sleep", "600"], dir = DIR, cwd = DIR + "/current")
exec.run(["ln", "-sfn", "two", "current"], cwd = DIR)
process.start("s", ["sleep", "600"], dir = DIR, cwd = DIR + "/current")
`
	r := f.Run(body).Want(events.Succeeded)
	if got := r.Changes()[3].Summary; !strings.HasPrefix(got, "restart with another cwd: ") {
		t.Errorf("summary = %q", got)
	}
	now := wantRunning(t, service{f.Dir, "s"})
	if to, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", now.command.PID)); err != nil || to != f.Dir+"/two" {
		t.Errorf("it runs in %s, %v", to, err)
	}
}

func TestRestartAlwaysActs(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	first := wantRunning(t, s)
	f.Run(`process.restart("s", DIR)`).Want(events.Succeeded)
	second := wantRunning(t, s)
	if first.command == second.command {
		t.Error("it was not started again")
	}
	f.Run(sleeper).Want(events.Succeeded)
	if now := wantRunning(t, s); now != second {
		t.Error("after a restart it counts as changed")
	}
	f.Run(`process.stop("s", DIR)` + "\n" + `process.restart("s", DIR)`).Want(events.Succeeded)
	wantRunning(t, s)
}

func TestWhatCannotStart(t *testing.T) {
	f := fixture(t)
	write(t, f, "plain", "x", 0o644)
	write(t, f, "no-interpreter", "#!/no/such/interpreter\n", 0o755)
	write(t, f, "bad.env", "A=1\nB = 2\n", 0o600)
	port := freePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	before := familytest.Tree(t, f.Dir)
	for body, want := range map[string]string{
		`process.start("s", ["./none"], dir = DIR)`:                                      "there is no command " + f.Dir + "/none",
		`process.start("s", ["./plain"], dir = DIR)`:                                     "its mode 0644 lets nobody execute it",
		`process.start("s", ["./no-interpreter"], dir = DIR)`:                            "or the interpreter or loader that it names, is not there",
		`process.start("s", ["sleep", "9"], dir = DIR, cwd = DIR + "/none")`:             "its working directory " + f.Dir + "/none does not exist",
		`process.start("s", ["sleep", "9"], dir = DIR, env_file = DIR + "/none")`:        "its environment file " + f.Dir + "/none does not exist",
		`process.start("s", ["sleep", "9"], dir = DIR, env_file = DIR + "/bad.env")`:     "bad.env: line 2",
		`process.start("s", ["sleep", "9"], dir = DIR + "/none")`:                        "fs.mkdir makes it",
		`process.start("s", ["sleep", "9"], dir = DIR, log = DIR + "/none/log")`:         "fs.mkdir makes it",
		`process.start("s", ["sleep", "9"], dir = DIR, log = DIR + "/s.pid")`:            "another name than the service's own",
		`process.start("s", ["sleep", "9"], dir = DIR, user = "nobody-is-called-so")`:    `no user "nobody-is-called-so"`,
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"a b": "c"})`:              `"a b" cannot be set`,
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"UID": "c"})`:              "belongs to the shell",
		`process.start("s", ["sleep", "9"], dir = DIR, env = {"INFRARUN_RUN": "c"})`:     "infrarun's own",
		`process.start("s", ["sleep", "9"], dir = DIR, ports = [0])`:                     "0 is no port",
		`process.start("s", [], dir = DIR)`:                                              "argv is empty",
		`process.start("../s", ["sleep", "9"], dir = DIR)`:                               "no name for a process",
		`process.start("s", ["sleep", "9"], dir = "")`:                                   "dir: it is empty",
		`process.start("s", ["sleep", "9"], dir = "/a\nb")`:                              "line break",
		fmt.Sprintf(`process.start("s", ["sleep", "9"], dir = DIR, ports = [%d])`, port): fmt.Sprintf("port %d is taken by process.test, process %d", port, os.Getpid()),
	} {
		r := f.Run(body)
		if r.Outcome.Result != events.Refused && r.Outcome.Result != events.RolledBack {
			t.Errorf("%s: the run ended %s", body, r.Outcome.Result)
		}
		if !strings.Contains(r.Outcome.Error, want) {
			t.Errorf("%s: the error lacks %q:\n%s", body, want, r.Outcome.Error)
		}
		familytest.SameTree(t, body, familytest.Tree(t, f.Dir), before)
		wantGone(t, service{f.Dir, "s"})
	}
}

func TestPermission(t *testing.T) {
	f := fixture(t)
	f.Run(`process.start("s", ["sh", "-c", "sleep 600"], dir = DIR)`).Want(events.Succeeded)
	declared := func(body string) string {
		return `
PERMISSIONS = {"fs.write": [DIR], "exec": ["sleep"]}
def main(ctx):
    ` + body + "\n"
	}
	for _, body := range []string{
		declared(`process.start("x", ["sh", "-c", "true"], dir = DIR)`),
		declared(`process.stop("s", DIR)`), // its undo starts sh
		declared(`process.restart("s", DIR)`),
		declared(`process.start("x", ["sleep", "600"], dir = "/elsewhere")`),
		declared(`process.start("x", ["sleep", "600"], dir = DIR, log = "/elsewhere/log")`),
		declared(`process.start("x", ["sleep", "600"], dir = DIR, env_file = "/elsewhere/env")`),
		declared(`process.stop("x", "/elsewhere")`),
		declared(`process.status("x", "/elsewhere")`),
	} {
		if r := f.Run(body); r.Outcome.Result != events.DeniedRun {
			t.Errorf("%s: the run ended %s: %s", body, r.Outcome.Result, r.Outcome.Error)
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
