package process

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestFailingCommandIsStartedAgain(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "test -e go || exit 7; exec sleep 600"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "it has failed", func() bool { return s.find().state.Status == "waiting" })
	f.Run(`
st = process.status("s", DIR)
test.equal((st.running, st.exit_code, st.restarts), (False, 7, 0))
`).Want(events.Succeeded)
	write(t, f, "go", "", 0o644)
	eventually(t, "it runs", func() bool { return s.find().well() && begun(s.find()) })
	f.Run(`
st = process.status("s", DIR)
test.equal((st.running, st.exit_code, st.restarts), (True, 7, 1))
`).Want(events.Succeeded)
	now := s.find()
	// One that is killed counts as failed as well.
	if err := syscall.Kill(now.command.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it runs again", func() bool { again := s.find(); return again.well() && again.command != now.command })
	if again := s.find(); again.state.Restarts != 2 || again.state.ExitCode != 137 || again.supervisor != now.supervisor {
		t.Errorf("state = %+v, before %+v", again, now)
	}
}

func TestGivingUp(t *testing.T) {
	f := fixture(t)
	s := rendered(t, f, definition{Name: "s", Command: []string{"/bin/sh", "-c", "exit 7"}, Cwd: f.Dir, Log: f.Dir + "/s.log", StopTimeout: 1})
	script := read(t, s.script())
	hasty := strings.Replace(script, `sleep "$delay"`, `sleep 0`, 1) // or it takes 15 s
	if hasty == script {
		t.Fatal("the script has another way to wait")
	}
	write(t, f, "s.sh", hasty, 0o755)
	if out, code := byHand(t, []string{"sh"}, s, "run"); code != 1 || !strings.Contains(out, "the fifth time within a minute: given up") {
		t.Errorf("run = %d, %s", code, out)
	}
	if st := s.find().state; st.Status != "failed" || st.Restarts != 4 || st.ExitCode != 7 {
		t.Errorf("state = %+v", st)
	}
	if _, err := os.Stat(s.pidFile()); err == nil {
		t.Error("there is still a pidfile")
	}
}

// It waits longer each time.
func TestWaitingLonger(t *testing.T) {
	begin, end := strings.Index(template, "crashed() {"), strings.Index(template, "case ${1-} in\nstart")
	program := "set -u\nstopping='' crashes='' delay=1 began=$(date +%s)\nsleep() { echo \"$1\"; }\n" + template[begin:end] +
		"\ncrashed; rest; crashed; rest; crashed; rest; crashed; rest; crashed || echo given up\n" +
		"crashes='1 2 3 4'; crashed && rest; delay=50; rest; rest; began=1; crashed && rest"
	for _, shell := range shells(t) {
		out, err := exec.Command(shell[0], append(shell[1:], "-c", program)...).CombinedOutput()
		if want := "1\n2\n4\n8\ngiven up\n16\n50\n60\n1\n"; err != nil || string(out) != want {
			t.Errorf("%s: %q, %v, want %q", shell[0], out, err, want)
		}
	}
}

// A command that ends well has been stopped on purpose.
func TestEndingWellIsTheEnd(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	fifo := filepath.Join(f.Dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Run(`process.start("s", ["sh", "-c", "read x <fifo"], dir = DIR)`).Want(events.Succeeded)
	wantRunning(t, s)
	if err := os.WriteFile(fifo, []byte("end\n"), 0); err != nil {
		t.Fatal(err)
	}
	eventually(t, "its supervisor ends", func() bool { return !s.find().any() })
	if st := s.find().state; st.Status != "stopped" || st.Restarts != 0 || !st.Exited || st.ExitCode != 0 {
		t.Errorf("state = %+v", st)
	}
}

// What keeps failing is not as it should be: a start begins anew.
func TestStartOfWhatKeepsFailing(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	const body = `process.start("s", ["sh", "-c", "test -e go || exit 7; exec sleep 600"], dir = DIR)`
	f.Run(body).Want(events.Succeeded)
	eventually(t, "it has failed", func() bool { return s.find().state.Status == "waiting" })
	write(t, f, "go", "", 0o644)
	r := f.Run(body).Want(events.Succeeded)
	if got := r.Changes()[0].Summary; !strings.HasPrefix(got, "restart, since it keeps failing with exit status 7: ") {
		t.Errorf("summary = %q", got)
	}
	wantRunning(t, s)
}

// The supervisor alone is killed: the command goes on, and is found.
func TestSupervisorIsKilled(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	first := wantRunning(t, s)
	kill := func() {
		t.Helper()
		if err := syscall.Kill(s.find().supervisor.PID, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the supervisor is gone", func() bool { return s.find().supervisor == proc.Identity{} })
	}
	kill()
	f.Run(`test.equal(process.status("s", DIR).running, True)`).Want(events.Succeeded)
	if out, code := byHand(t, []string{"sh"}, s, "status"); code != 0 || !strings.Contains(out, "its supervisor is gone") {
		t.Errorf("status = %d, %q", code, out)
	}
	if out, code := byHand(t, []string{"sh"}, s, "start"); code != 1 || !strings.Contains(out, "stop it first") {
		t.Errorf("start = %d, %q", code, out)
	}
	r := f.Run(sleeper).Want(events.Succeeded)
	if got := r.Changes()[0].Summary; !strings.HasPrefix(got, "restart, since its supervisor is gone: ") {
		t.Errorf("summary = %q", got)
	}
	if second := wantRunning(t, s); first.command.Alive() || second.command == first.command {
		t.Error("the one without a supervisor goes on")
	}
	kill()
	if out, code := byHand(t, []string{"sh"}, s, "stop"); code != 0 {
		t.Errorf("stop = %d, %q", code, out)
	}
	wantGone(t, s)
	draft := write(t, f, "s.state.new", "half a st", 0o644)
	f.Run(sleeper + `process.stop("s", DIR)`).Want(events.Succeeded)
	if _, err := os.Stat(draft); err == nil {
		t.Error("what it was about to write is still there")
	}
}

// Two supervisors for one service must not be: the second one gives way.
func TestOneSupervisor(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(sleeper).Want(events.Succeeded)
	first := wantRunning(t, s)
	if err := os.Remove(s.pidFile()); err != nil { // so that the script cannot know
		t.Fatal(err)
	}
	if out, code := byHand(t, []string{"sh"}, s, "run"); code != 1 || !strings.Contains(out, "another supervisor") {
		t.Errorf("run = %d, %q", code, out)
	}
	if !first.supervisor.Alive() || !first.command.Alive() {
		t.Error("the first one is gone")
	}
}
