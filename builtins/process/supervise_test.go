package process

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	if testing.Short() {
		t.Skip("takes 15 s: the supervisor waits 1, 2, 4 and 8 s")
	}
	t.Parallel()
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "exit 7"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "it gives up", func() bool { return !s.find().any() && s.find().state.Status == "failed" })
	if st := s.find().state; st.Restarts != 4 || st.ExitCode != 7 {
		t.Errorf("state = %+v", st)
	}
	if log := read(t, s.file(".log")); !strings.Contains(log, "the fifth time within a minute: given up") {
		t.Errorf("log = %s", log)
	}
	if _, err := os.Stat(s.pidFile()); err == nil {
		t.Error("there is still a pidfile")
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
}

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

// Everything that a service has started ends with it: children, and what took a session of its own.
func TestStopEndsEverything(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "sleep 600 & setsid sleep 601 & (trap '' TERM; sleep 602) & touch ready; wait"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "all have begun", func() bool { return len(s.processes()) >= 5 })
	f.Run(`process.stop("s", DIR, timeout = 1)`).Want(events.Succeeded)
	wantGone(t, s)
}

// A service hears of its end once: a second SIGTERM means haste to some.
func TestStopAsksOnce(t *testing.T) {
	f := fixture(t)
	write(t, f, "app", "#!/bin/sh\ntrap 'echo asked >>asked' TERM\ntouch ready\nwhile ! test -e end; do sleep 0.05; done\n", 0o755)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["./app"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "it has begun", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(`process.stop("s", DIR, timeout = 60)`)
	}()
	eventually(t, "it was asked", func() bool { _, err := os.Stat(f.Dir + "/asked"); return err == nil })
	write(t, f, "end", "", 0o644)
	<-done
	wantGone(t, s)
	if got := read(t, f.Dir+"/asked"); got != "asked\n" {
		t.Errorf("it was asked %d times", strings.Count(got, "\n"))
	}
}

func TestStopByForce(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "trap '' TERM; touch ready; while :; do sleep 1; done"], dir = DIR, stop_timeout = 1)`).Want(events.Succeeded)
	eventually(t, "it has begun", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	r := f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	wantGone(t, s)
	if !slices.ContainsFunc(r.Events(), func(e events.Event) bool {
		return e.Kind == events.Log && e.Level == "warn" && strings.Contains(e.Text, "s did not end within 1s and was ended by force")
	}) {
		t.Error("nobody was told")
	}
	os.Remove(f.Dir + "/ready")
	f.Run(`process.restart("s", DIR)`).Want(events.Succeeded)
	eventually(t, "it has begun again", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	if out, code := byHand(t, []string{"sh"}, s, "stop"); code != 0 || !strings.Contains(out, "by force") {
		t.Errorf("by hand = %d, %q", code, out)
	}
	wantGone(t, s)
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

func TestAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can run something as somebody else")
	}
	f := fixture(t)
	for dir := f.Dir; dir != "/"; dir = filepath.Dir(dir) { // the user must be able to get there
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			if err := os.Chmod(dir, info.Mode()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := service{f.Dir, "s"}
	write(t, f, "env", "TOKEN='for nobody'\n", 0o600) // which the user cannot read
	const body = `process.start("s", ["sh", "-c", "id -u; id -g; echo $HOME; echo $USER; echo $TOKEN; exec sleep 600"], dir = DIR, user = "nobody", env_file = DIR + "/env")`
	f.Run(body).Want(events.Succeeded)
	now := wantRunning(t, s)
	o, err := ownerOf(definition{User: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s\n%s\n%s\nnobody\nfor nobody\n", o.user.Uid, o.user.Gid, o.user.HomeDir)
	eventually(t, "it has printed who it is", func() bool { return read(t, s.file(".log")) == want })
	if status := read(t, fmt.Sprintf("/proc/%d/status", now.supervisor.PID)); !strings.Contains(status, "Uid:\t0\t") {
		t.Error("the supervisor is not root, so whoever it runs could change what root runs")
	}
	if r := f.Run(body).Want(events.Succeeded); r.Changes()[0].Status != events.Unchanged {
		t.Errorf("the second time: %s", r.Changes()[0].Summary)
	}
	f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	wantGone(t, s)
}
