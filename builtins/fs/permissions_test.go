package fs_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// app makes a tree as an installation leaves it, and a file beside it that a link in it leads to.
func app(t testing.TB, dir string) {
	t.Helper()
	put(t, dir+"/outside", "not of the application", 0o644)
	put(t, dir+"/app/run", "#!/bin/sh\n", 0o755)
	put(t, dir+"/app/etc/app.conf", "port = 80\n", 0o666)
	put(t, dir+"/app/etc/right", "", 0o640)
	put(t, dir+"/app/data/app.db", "rows", 0o600)
	link(t, "../outside", dir+"/app/link")
	if err := os.Chmod(dir+"/app/etc", 0o750); err != nil {
		t.Fatal(err)
	}
}

const syncModes = `
p = fs.permissions(DIR + "/app", file_mode = "0640", dir_mode = "0750", exclude = ["data"])
print(p.changed, p.count)
`

func TestPermissionsOfATree(t *testing.T) {
	f := fixture(t)
	app(t, f.Dir)
	f.UndoTwice(syncModes)
	preview := f.Preview(syncModes).Want(events.WouldChange)
	r := f.Run(syncModes).Want(events.Succeeded)
	const want = "fs.permissions: of 3 files out of 6: files 0640, directories 0750"
	for status, got := range map[string][]string{"would ": preview.Summaries(), "done ": r.Summaries()} {
		if len(got) != 1 || got[0] != status+want {
			t.Errorf("got %q, want %q", got, status+want)
		}
	}
	for name, mode := range map[string]os.FileMode{
		"app": 0o750, "app/run": 0o750, "app/etc": 0o750, "app/etc/app.conf": 0o640, "app/etc/right": 0o640,
		"app/data": 0o755, "app/data/app.db": 0o600, "outside": 0o644,
	} {
		if got := modeOf(t, filepath.Join(f.Dir, name)); got != mode {
			t.Errorf("%s has mode %v, want %v", name, got, mode)
		}
	}
	again := f.Run(syncModes).Want(events.Succeeded)
	if got := again.Summaries(); len(got) != 1 || got[0] != "unchanged fs.permissions: already so" {
		t.Errorf("the second run: %q", got)
	}
}

// A rollback puts back what the run changed, and leaves alone what it found right and what others have made since.
func TestPermissionsUndoesOnlyWhatItChanged(t *testing.T) {
	f := fixture(t)
	app(t, f.Dir)
	f.Run(syncModes).Want(events.Succeeded)
	put(t, f.Dir+"/app/etc/new", "", 0o666)
	if err := os.Chmod(f.Dir+"/app/etc/right", 0o444); err != nil {
		t.Fatal(err)
	}
	f.Rollback().Want(events.Restored)
	for name, mode := range map[string]os.FileMode{"run": 0o755, "etc/app.conf": 0o666, "etc/right": 0o444, "etc/new": 0o666} {
		if got := modeOf(t, filepath.Join(f.Dir, "app", name)); got != mode {
			t.Errorf("%s has mode %v, want %v", name, got, mode)
		}
	}
}

func TestOwnersOfATree(t *testing.T) {
	familytest.Need(t, os.Getuid() == 0, "only root can give files away")
	f := fixture(t)
	app(t, f.Dir)
	if err := os.Chmod(f.Dir+"/app/run", 0o755|os.ModeSetgid); err != nil {
		t.Fatal(err)
	}
	const recipe = `fs.permissions(DIR + "/app", owner = "4001", group = "4002")`
	f.UndoTwice(recipe)
	f.Run(recipe).Want(events.Succeeded)
	for name, uid := range map[string]uint32{"app": 4001, "app/run": 4001, "app/link": 4001, "app/data/app.db": 4001, "outside": 0} {
		var st syscall.Stat_t
		if err := syscall.Lstat(filepath.Join(f.Dir, name), &st); err != nil || st.Uid != uid {
			t.Errorf("%s belongs to %d (%v), want %d", name, st.Uid, err, uid)
		}
	}
	if got := modeOf(t, f.Dir+"/app/run"); got != 0o755|os.ModeSetgid {
		t.Errorf("run has mode %v, want that it kept setgid", got)
	}
}

// swap changes the tree at the moment when the change begins.
type swap struct{ do func() }

// Handle implements [events.Sink].
func (s swap) Handle(e events.Event) {
	if e.Kind == events.ChangeStarted {
		s.do()
	}
}

// Close implements [events.Sink].
func (s swap) Close() error { return nil }

// Who may write to the tree can put a link in the place of a directory: what that leads to stays what it is.
func TestPermissionsStayInTheTree(t *testing.T) {
	f := fixture(t)
	app(t, f.Dir)
	put(t, f.Dir+"/elsewhere/app.conf", "somebody else's", 0o600)
	f.RunContext(t.Context(), syncModes, swap{func() {
		if err := os.Rename(f.Dir+"/app/etc", f.Dir+"/app/moved"); err != nil {
			t.Error(err)
		}
		link(t, "../elsewhere", f.Dir+"/app/etc")
	}}).Want(events.Incomplete)
	if got := modeOf(t, f.Dir+"/elsewhere/app.conf"); got != 0o600 {
		t.Errorf("a file outside of the tree has mode %v", got)
	}
}

// What vanishes while the tree is gone through is no reason to fail.
func TestPermissionsOfWhatVanishes(t *testing.T) {
	f := fixture(t)
	app(t, f.Dir)
	f.RunContext(t.Context(), syncModes, swap{func() {
		if err := os.Remove(f.Dir + "/app/etc/app.conf"); err != nil {
			t.Error(err)
		}
	}}).Want(events.Succeeded)
	if got := modeOf(t, f.Dir+"/app/run"); got != 0o750 {
		t.Errorf("run has mode %v, want 0750", got)
	}
}

func TestPermissionsRefuses(t *testing.T) {
	f := fixture(t)
	app(t, f.Dir)
	for _, tt := range []struct{ recipe, want string }{
		{`fs.permissions(DIR + "/app")`, "none of owner, group, file_mode and dir_mode is given"},
		{`fs.permissions(DIR + "/app", file_mode = "0640", exclude = ["["])`, `exclude: "[" is no pattern`},
		{`fs.permissions(DIR + "/outside", file_mode = "0640")`, "is a file, not a directory"},
		{`fs.permissions(DIR + "/app/link", dir_mode = "0750")`, "is a link, not a directory"},
		{`fs.permissions(DIR + "/nothing", dir_mode = "0750")`, "no such file"},
		{`fs.permissions(DIR + "/app", owner = "nobody-of-this-name")`, "there is no user nobody-of-this-name"},
	} {
		if r := f.Run(tt.recipe).Want(events.Refused); !strings.Contains(r.Outcome.Error, tt.want) {
			t.Errorf("%s: %s, want %q", tt.recipe, r.Outcome.Error, tt.want)
		}
	}
}
