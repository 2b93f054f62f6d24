package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

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
		{extra: `, env_file = DIR + "/env"`, want: "env, env_file, ports"},
		{extra: `, env_file = DIR + "/env"`, do: func() { write(t, f, "env", "A=22\n", 0o600) }, want: "content of env_file"},
		{extra: `, log = DIR + "/other.log", stop_timeout = 1.5`, want: "env_file, log, stop_timeout"},
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
