package process

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
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

// An environment file that the run has changed before the start, and that is put back only after its undo: the
// old service runs with what it had nevertheless, also when it fails and is started again.
func TestUndoRemembersTheEnvironment(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	write(t, f, "env", "WHO='the old one'\n", 0o600)
	const start = `process.start("s", ["sh", "-c", "echo $WHO >>who.log; exec sleep 600"], dir = DIR, env_file = DIR + "/env")` + "\n"
	f.Run(start).Want(events.Succeeded)
	eventually(t, "it says who it is", func() bool { text, _ := os.ReadFile(f.Dir + "/who.log"); return string(text) == "the old one\n" })
	before := tree(t, f)
	f.Run(`
exec.run(["sh", "-c", "cp -p env old && echo WHO=new >env"], cwd = DIR, undo = ["mv", "-f", "old", "env"])
` + start + `fail("later")`).Want(events.RolledBack)
	familytest.SameTree(t, "after the rollback", tree(t, f), before)
	eventually(t, "the old one is back", func() bool { return strings.HasSuffix(read(t, f.Dir+"/who.log"), "new\nthe old one\n") })
	if r := f.Run(start).Want(events.Succeeded); r.Changes()[0].Status != events.Unchanged {
		t.Errorf("a start afterwards: %s", r.Changes()[0].Summary)
	}
	write(t, f, "env", "WHO=edited\n", 0o600)
	if err := syscall.Kill(s.find().command.PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it was started again as it was", func() bool {
		return strings.HasSuffix(read(t, f.Dir+"/who.log"), "the old one\nthe old one\n")
	})
	if out, code := byHand(t, []string{"sh"}, s, "restart"); code != 0 {
		t.Fatalf("restart = %d, %s", code, out)
	}
	eventually(t, "a person's restart takes the file as it is", func() bool { return strings.HasSuffix(read(t, f.Dir+"/who.log"), "edited\n") })
	if info, err := os.Stat(s.envCopy()); err != nil || info.Mode().Perm() != envMode {
		t.Errorf("the copy: %v, %v", info.Mode(), err)
	}
}
