package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	execfamily "github.com/infrarun/infrarun/builtins/exec"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestUndoOfTheFirstStart(t *testing.T) {
	f := fixture(t)
	f.UndoTwice(sleeper)
	wantGone(t, service{f.Dir, "s"})
	if n := f.BreakEverywhere(sleeper); n != 2 {
		t.Errorf("it was broken at %d places, want 2", n)
	}
	wantGone(t, service{f.Dir, "s"})
}

// What a service that is undone has printed is kept.
func TestLogIsKept(t *testing.T) {
	f := fixture(t)
	r := f.Run(`
process.start("s", ["sh", "-c", "echo why; exec sleep 600"], dir = DIR)
fail("later")
`).Want(events.RolledBack)
	if _, err := os.Stat(f.Dir + "/s.log"); err == nil {
		t.Error("the log is still there")
	}
	for _, e := range r.Events() {
		if _, place, ok := strings.Cut(e.Text, "s.log printed is kept in "); ok {
			eventually(t, "it has what was printed", func() bool { return strings.Contains(read(t, place), "why\n") })
			return
		}
	}
	t.Error("nobody was told where it is kept")
}

// tree describes the directory without what a running service itself writes.
func tree(t *testing.T, f *familytest.Fixture) string {
	t.Helper()
	var kept []string
	for line := range strings.Lines(familytest.Tree(t, f.Dir)) {
		name, _, _ := strings.Cut(line, " ")
		if ext := filepath.Ext(name); ext != ".pid" && ext != ".state" && ext != ".log" {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}

// answers is where a release tells which one it is.
func answers(f *familytest.Fixture) string { return f.Dir + "/answers.state" }

// releases makes two releases of a service, with the link current to the first.
func releases(t *testing.T, f *familytest.Fixture) {
	t.Helper()
	for _, version := range []string{"one", "two"} {
		write(t, f, "releases/"+version+"/app", "#!/bin/sh\necho "+version+" >"+answers(f)+"\nexec sleep 600\n", 0o755)
	}
	if err := os.Symlink("releases/one", f.Dir+"/current"); err != nil {
		t.Fatal(err)
	}
}

const (
	startCurrent = `process.start("s", ["./app"], dir = DIR, cwd = DIR + "/current")` + "\n"
	switchLink   = `exec.run(["ln", "-sfn", "releases/two", "current"], cwd = DIR, undo = ["ln", "-sfn", "releases/one", "current"])` + "\n"
)

func TestUndoStartsWhatRanBefore(t *testing.T) {
	for name, body := range map[string]string{
		"start": `process.start("s", ["sleep", "601"], dir = DIR, env = {"A": "b"})`,
		"stop":  `process.stop("s", DIR)`,
		// The link is switched back only after the undo of start: the old release runs nevertheless.
		"switch and start": switchLink + startCurrent,
		"switch, restart":  switchLink + `process.restart("s", DIR)`,
		"stop and start":   `process.stop("s", DIR)` + "\n" + switchLink + startCurrent,
		"start that fails": `process.start("s", ["sh", "-c", "exit 127"], dir = DIR)`,
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			s := service{f.Dir, "s"}
			releases(t, f)
			f.Run(startCurrent).Want(events.Succeeded)
			first := wantRunning(t, s)
			eventually(t, "it answers", func() bool { _, err := os.Stat(answers(f)); return err == nil })
			before := tree(t, f)
			if err := os.Remove(answers(f)); err != nil {
				t.Fatal(err)
			}
			f.Run(body + "\nfail(\"later\")\n").Want(events.RolledBack)
			now := wantRunning(t, s)
			eventually(t, "release one answers", func() bool { text, _ := os.ReadFile(answers(f)); return string(text) == "one\n" })
			if first.command.Alive() || now.state.Executable != f.Dir+"/releases/one/app" || now.state.Directory != f.Dir+"/releases/one" {
				t.Errorf("what runs is %+v", now.state)
			}
			familytest.SameTree(t, "after the rollback", tree(t, f), before)
			// It is what a start finds as it should be.
			r := f.Run(startCurrent).Want(events.Succeeded)
			if got := r.Changes()[0]; got.Status != events.Unchanged {
				t.Errorf("a start afterwards: %s %s", got.Status, got.Summary)
			}
		})
	}
}

// breakAt is a sink that stops the run with a panic when a change of the kind process.… is about to be made, or
// has been made.
type breakAt struct{ kind events.Kind }

func (b breakAt) Handle(e events.Event) {
	if e.Kind == b.kind && strings.HasPrefix(e.Change.Call, "process.") && e.Change.Status != events.Unchanged {
		panic("broken by the test")
	}
}

func (breakAt) Close() error { return nil }

// An undo of what never happened leaves what runs alone.
func TestUndoOfWhatNeverHappened(t *testing.T) {
	for _, body := range []string{
		`process.start("s", ["sleep", "601"], dir = DIR)`, `process.stop("s", DIR)`, `process.restart("s", DIR)`,
	} {
		f := fixture(t)
		s := service{f.Dir, "s"}
		f.Run(sleeper).Want(events.Succeeded)
		first, before := wantRunning(t, s), familytest.Tree(t, f.Dir)
		f.RunContext(t.Context(), body, breakAt{events.ChangeStarted}).Want(events.RolledBack)
		if now := wantRunning(t, s); now != first {
			t.Errorf("%s: it was started again", body)
		}
		familytest.SameTree(t, body, familytest.Tree(t, f.Dir), before)
	}
}

// An undo that is carried out again, as after a crash right behind it, leaves what it has started alone.
func TestUndoTwice(t *testing.T) {
	for _, body := range []string{
		`process.start("s", ["sleep", "601"], dir = DIR)`, `process.stop("s", DIR)`, `process.restart("s", DIR)`,
		// The second time both find the first one's work.
		`process.start("s", ["sleep", "601"], dir = DIR)` + "\n" + `process.stop("s", DIR)` + "\n" + `process.start("s", ["sleep", "602"], dir = DIR)`,
	} {
		f := fixture(t)
		s := service{f.Dir, "s"}
		f.Run(sleeper).Want(events.Succeeded)
		first, before := wantRunning(t, s), tree(t, f)
		time.Sleep(time.Until(startOfNextSecond())) // names of runs sort by the second
		f.Run(body).Want(events.Succeeded)
		forget := remember(t, f)
		f.Rollback().Want(events.Restored)
		familytest.SameTree(t, body, tree(t, f), before)
		second := wantRunning(t, s)
		if second.command == first.command {
			t.Errorf("%s: it was not even ended", body)
		}
		forget()
		f.ForceRollback().Want(events.Restored)
		familytest.SameTree(t, body+", again", tree(t, f), before)
		if third := wantRunning(t, s); third.state.Executable != second.state.Executable {
			t.Errorf("%s: the second time %+v runs, the first time %+v", body, third, second)
		}
	}
}

func startOfNextSecond() time.Time { return time.Now().Truncate(time.Second).Add(time.Second) }

// remember reads what says that the newest run has been rolled back, and returns what puts back that it has not.
func remember(t *testing.T, f *familytest.Fixture) (putBack func()) {
	t.Helper()
	runs, err := f.State.Runs()
	if err != nil {
		t.Fatal(err)
	}
	dir := f.State.RunDir(runs[0].Run.ID)
	contents := map[string][]byte{}
	for _, name := range []string{"journal", "run.json"} {
		if contents[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for name, text := range contents {
			if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

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

// A service is not what a rollback of the run that started it takes for its leftover; and infrarun that a
// service has started does not end itself.
func TestServiceThatRunsInfrarun(t *testing.T) {
	f := fixture(t)
	name, value, _ := strings.Cut(service{f.Dir, "s"}.marker(), "=")
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunInChild$")
	cmd.Env = append(childEnv(t, f, `process.stop("s", DIR)`, ""), name+"="+value)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "infrarun itself was started by this process") {
		t.Errorf("%v\n%s", err, out)
	}
}

// childEnv is the environment in which TestRunInChild runs a recipe in the fixture.
func childEnv(t *testing.T, f *familytest.Fixture, body, killAt string) []string {
	t.Helper()
	return append(os.Environ(), "TMPDIR="+t.TempDir(), "TEST_DIR="+f.Dir, "TEST_STATE="+f.State.Dir(), "TEST_BODY="+body, "TEST_KILL_AT="+killAt)
}

// TestRunInChild is no test of its own: others run it in a process that can be killed.
func TestRunInChild(t *testing.T) {
	body := os.Getenv("TEST_BODY")
	if body == "" {
		t.Skip("run by other tests")
	}
	f := familytest.New(t, Family(), execfamily.Family())
	state, err := runtime.OpenState(os.Getenv("TEST_STATE"))
	if err != nil {
		t.Fatal(err)
	}
	f.Dir, f.State = os.Getenv("TEST_DIR"), state
	f.Grant("fs.write", f.Dir).Grant("exec", "sh", "sleep", "ln", f.Dir)
	f.RunContext(t.Context(), body, killAt(os.Getenv("TEST_KILL_AT"))).Want(events.Succeeded)
}

// killAt is a sink that kills this process, as kill -9 does, when a process.… change begins or ends.
type killAt events.Kind

func (k killAt) Handle(e events.Event) {
	if e.Kind == events.Kind(k) && strings.HasPrefix(e.Change.Call, "process.") {
		syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (killAt) Close() error { return nil }

// killed runs a recipe in a process that is killed on the way.
func killed(t *testing.T, f *familytest.Fixture, body, at string, env ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestRunInChild$")
	cmd.Env = append(childEnv(t, f, body, at), env...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("it was not killed: %v\n%s", err, out)
	}
}

func TestInfrarunIsKilled(t *testing.T) {
	for _, at := range []events.Kind{events.ChangeStarted, events.ChangeFinished} {
		t.Run(string(at), func(t *testing.T) {
			f := fixture(t)
			s := service{f.Dir, "s"}
			before := familytest.Tree(t, f.Dir)
			killed(t, f, sleeper, string(at))
			if at == events.ChangeFinished {
				wantRunning(t, s) // it goes on without infrarun
			}
			f.Rollback().Want(events.Restored)
			wantGone(t, s)
			familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
		})
	}
}
