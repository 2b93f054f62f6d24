package runtime

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestDefaultStateDir(t *testing.T) {
	if os.Geteuid() == 0 {
		if dir, err := DefaultStateDir(); err != nil || dir != "/var/lib/infrarun" {
			t.Errorf("got %s, %v", dir, err)
		}
		return
	}
	t.Setenv("HOME", "/home/x")
	for xdg, want := range map[string]string{
		"/state": "/state/infrarun", "": "/home/x/.local/state/infrarun", "relative": "/home/x/.local/state/infrarun",
	} {
		t.Setenv("XDG_STATE_HOME", xdg)
		if dir, err := DefaultStateDir(); err != nil || dir != want {
			t.Errorf("with %q: got %s, %v", xdg, dir, err)
		}
	}
}

func TestRunNames(t *testing.T) {
	s, err := OpenState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 21, 44, 1, 999_600_000, time.UTC)
	for _, now := range []time.Time{now, now, now.Add(time.Second), now.Add(-time.Hour), now.Add(-time.Hour)} {
		if _, _, err := s.newRun(now); err != nil {
			t.Fatal(err)
		}
	}
	// What others put there does not count.
	for _, name := range []string{"99999999-999999-999", "lost+found", "20261122-214401-9f3a"} {
		if err := os.Mkdir(s.RunDir(name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	id, dir, err := s.newRun(now.Add(time.Hour))
	if err != nil || id != "20261122-224401-999" {
		t.Fatalf("got %s, %v", id, err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the run's directory: %v, %v", info, err)
	}
	entries, err := os.ReadDir(filepath.Join(s.Dir(), "runs"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if _, err := parseRunName(e.Name()); err == nil {
			got = append(got, e.Name())
		}
	}
	wantLines(t, got, "20261122-214401-999", "20261122-214402-000", "20261122-214402-999", "20261122-214403-000", "20261122-214403-001", id)
}

func TestWriteDurably(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "run.json")
	for _, text := range []string{"one", "two"} {
		if err := writeDurably(name, []byte(text)); err != nil || readFile(t, name) != text {
			t.Fatalf("%q: %v", text, err)
		}
	}
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := os.Mkdir(filepath.Join(dir, "taken"), 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "taken/x"), "")
	for _, bad := range []string{filepath.Join(dir, "none/run.json"), filepath.Join(dir, "taken")} {
		if err := writeDurably(bad, nil); err == nil || !strings.Contains(err.Error(), "write "+bad) {
			t.Errorf("%s: %v", bad, err)
		}
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 2 {
		t.Errorf("temporary files are left: %v", entries)
	}
}

func TestRunDirectory(t *testing.T) {
	l := newLab(t)
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	rec := l.record()
	entries, err := os.ReadDir(l.state.RunDir(rec.Run.ID))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v", e.Name(), info.Mode())
		}
	}
	wantLines(t, names, "deploy.log", "events.jsonl", "journal", "metrics.prom", "report.html", "run.json", "sources")
	if rec.Run.Dir != l.state.RunDir(rec.Run.ID) || rec.PID != os.Getpid() || rec.Finished.Before(rec.Started) || rec.Run.Mode != events.ModeRun {
		t.Errorf("run.json says %+v", rec)
	}
	if got := readFile(t, filepath.Join(rec.Run.Dir, "sources/recipe/main.star")); !strings.Contains(got, "box.put") {
		t.Errorf("the sources have %s", got)
	}
}

func FuzzRunName(f *testing.F) {
	for _, name := range []string{"20260101-000000-000", "", "-", "20260101-000000", "00000101-000000-000", "99991231-235959-999"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if when, err := parseRunName(name); err == nil && runName(when) != name {
			t.Errorf("%q became %q", name, runName(when))
		}
	})
}

// Others may pass through the state directory on the way to what is meant for them; what is private says so itself.
func TestOthersOnlyPass(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	dir := filepath.Join(t.TempDir(), "state")
	s, err := OpenState(dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.newRun(time.Now()); err != nil { // before anything else
		t.Fatal(err)
	}
	lock, err := s.Lock(Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	if err := s.makeBuildCache(); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		"": 0o711, "cache": 0o711, "cache/build": 0o700, "runs": 0o700, "lock": 0o600,
	} {
		fi, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
		} else if got := fi.Mode().Perm(); got != want {
			t.Errorf("%q has mode %o, want %o", name, got, want)
		}
	}
}

// Two state directories can have runs of the same name. What one knows of a run does not hold for the other's.
func TestSignsTellStatesApart(t *testing.T) {
	t.Parallel()
	a, b := fakeRuns(t), fakeRuns(t)
	const kept, gone = "20260101-000000-000", "20260101-000000-001"
	a.fake(t, kept, journal.Committed, &events.Outcome{Result: events.Succeeded, Changes: 1})
	link := filepath.Join(t.TempDir(), "state")
	if err := os.Symlink(a.Dir(), link); err != nil {
		t.Fatal(err)
	}
	same, err := OpenState(link)
	if err != nil {
		t.Fatal(err)
	}
	for sign, want := range map[string]bool{
		a.sign(kept): true, same.sign(kept): true, kept: true, // ours
		a.sign(gone): false, same.sign(gone): false, gone: false,
		b.sign(kept): true, b.sign(gone): true, // who knows
	} {
		if got := a.signUndoable(sign); got != want {
			t.Errorf("signUndoable(%s) = %v", sign, got)
		}
	}
}
