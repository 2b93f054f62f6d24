package scratch

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestWhatTheDeadLeftIsRemoved(t *testing.T) {
	p := Place{Dir: t.TempDir(), For: "a test"}
	for _, name := range []string{"1-1-dead", "other", "1-x-other", "x-1-other"} {
		must(t, os.Mkdir(filepath.Join(p.Dir, name), 0o700))
	}
	failed := errors.New("failed by the test")
	err := p.With(func(mine string) error {
		must(t, os.WriteFile(filepath.Join(mine, "copy"), nil, 0o600))
		return p.With(func(string) error { // it leaves that of a process that lives alone
			_, err := os.Stat(mine)
			return errors.Join(failed, err)
		})
	})
	if !errors.Is(err, failed) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	entries, err := os.ReadDir(p.Dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "1-x-other other x-1-other" {
		t.Errorf("left are %s", got)
	}
}

// What is open can be reached by others, who see nothing on the way; what is not, cannot.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o022))
	for _, tt := range []struct {
		open  bool
		modes []fs.FileMode // of state, cache, name and directory
	}{
		{false, []fs.FileMode{0o711, 0o711, 0o700, 0o700}},
		{true, []fs.FileMode{0o711, 0o711, 0o711, 0o755}},
	} {
		base := t.TempDir()
		p := Place{Dir: filepath.Join(base, "state", "cache", "name"), For: "a test", Open: tt.open}
		must(t, p.With(func(dir string) error {
			for i := len(tt.modes) - 1; i >= 0; i-- {
				fi, err := os.Stat(dir)
				must(t, err)
				if got := fi.Mode().Perm(); got != tt.modes[i] {
					t.Errorf("open %v: %s has mode %o, want %o", tt.open, dir, got, tt.modes[i])
				}
				dir = filepath.Dir(dir)
			}
			return nil
		}))
	}
}

func TestNoPlace(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, 0o600))
	err := Place{Dir: filepath.Join(file, "name"), For: "a copy of the unit"}.With(func(string) error { return nil })
	if err == nil || !strings.HasPrefix(err.Error(), "make a place for a copy of the unit: ") {
		t.Errorf("got %v", err)
	}
}
