package process

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	execfamily "github.com/infrarun/infrarun/builtins/exec"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

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
		return
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
