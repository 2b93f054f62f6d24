package proc

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const rest = " S 1 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 123 456\n"
	want := Stat{PID: 42, State: 'S', Parent: 1, Group: 42, Session: 41, Start: 98765}
	for _, name := range []string{"sh", "a b", "odd) S 9 9 9", "(", ")", "", "two\nlines"} {
		want.Name = name
		got, err := ParseStat([]byte("42 (" + name + ")" + rest))
		if err != nil || got != want {
			t.Errorf("named %q = %+v, %v, want %+v", name, got, err, want)
		}
	}
	for _, text := range []string{"", "42", "42 (sh)", "42 (sh) S 1", ")(", "x (sh)" + rest, "42 (sh) S x" + rest} {
		if got, err := ParseStat([]byte(text)); err == nil {
			t.Errorf("ParseStat(%q) = %+v, want an error", text, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte("42 (a (b) c) S 1 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 123"))
	f.Add([]byte(")("))
	f.Add([]byte("1 () "))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseStat(text)
		if err != nil && s != (Stat{}) {
			t.Errorf("%v beside %+v", err, s)
		}
	})
}

// sleeper starts a process in a session of its own, with one more entry in its environment.
func sleeper(t *testing.T, env string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "600")
	cmd.Env = append(os.Environ(), env)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return cmd
}

func TestProcessIsFound(t *testing.T) {
	env := "INFRARUN_TEST=" + t.Name() + t.TempDir()
	before := time.Now()
	cmd := sleeper(t, env)
	id, ok := Identify(cmd.Process.Pid)
	if !ok || !id.Alive() || id.PID != cmd.Process.Pid || id.String() == "" {
		t.Fatalf("Identify = %+v, %v", id, ok)
	}
	if got := InSession(id.PID); !slices.Equal(got, []Identity{id}) {
		t.Errorf("InSession = %v, want %v", got, id)
	}
	if got := WithEnv(env); !slices.Equal(got, []Identity{id}) {
		t.Errorf("WithEnv = %v, want %v", got, id)
	}
	if got := WithEnv(env[:len(env)-1]); len(got) > 0 {
		t.Errorf("WithEnv of a part of the entry = %v", got)
	}
	if got := Command(id.PID); !slices.Equal(got, []string{"sleep", "600"}) {
		t.Errorf("Command = %q", got)
	}
	// btime is in whole seconds and ticks are rounded.
	if at, err := id.Started(); err != nil || at.Sub(before).Abs() > 5*time.Second {
		t.Errorf("Started = %v, %v, want about %v", at, err, before)
	}
	if other := (Identity{id.PID, id.Start + 1}); other.Alive() {
		t.Error("another process that had the pid is taken for this one")
	}
}

func TestEndedProcessIsGone(t *testing.T) {
	env := "INFRARUN_TEST=" + t.Name() + t.TempDir()
	cmd := sleeper(t, env)
	id, _ := Identify(cmd.Process.Pid)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	for { // until it has died; it is not reaped, so its entry stays
		if s, err := ReadStat(id.PID); err != nil || s.Ended() {
			break
		}
	}
	if id.Alive() {
		t.Error("a zombie is alive")
	}
	if found := append(InSession(id.PID), WithEnv(env)...); len(found) > 0 {
		t.Errorf("a zombie is found: %v", found)
	}
	cmd.Wait()
	if id.Alive() || Command(id.PID) != nil {
		t.Error("a process that is gone is alive")
	}
	if (Identity{}).Alive() {
		t.Error("nobody is alive")
	}
}

func TestEveryProcessIsListedOnce(t *testing.T) {
	seen := map[int]bool{}
	for s := range All() {
		if seen[s.PID] {
			t.Errorf("%d is listed twice", s.PID)
		}
		seen[s.PID] = true
	}
	if !seen[os.Getpid()] {
		t.Error("this process is not listed")
	}
	for s := range All() { // stopping early is allowed
		if strings.TrimSpace(s.Name) != "" {
			break
		}
	}
}
