package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// newRun returns the directory of a run that does not exist yet, in a state directory of its own.
func newRun(t testing.TB) string {
	t.Helper()
	return filepath.Join(t.TempDir(), "runs", "7")
}

var testMeta = Meta{
	Run: "7", Recipe: "recipes/deploy.star", Version: "1.2.3", PID: 4711,
	Started: time.Date(2026, 11, 22, 21, 41, 0, 0, time.UTC),
	Args:    json.RawMessage(`{"env":"staging"}`),
}

func create(t testing.TB, dir string) *Journal {
	t.Helper()
	j, err := Create(dir, testMeta)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// write is an entry whose undo is exact.
func write(target string) *Entry {
	return &Entry{
		Step: "7 code", Call: "fs.write", Target: target, Position: "steps/code.star:12:3", Class: ClassExact,
		Undo: &Undo{Kind: "fs.restore", Args: json.RawMessage(`{"path":"` + target + `"}`), Note: "restore <2> bytes"},
	}
}

// run is an entry that nothing can undo.
func run(target string) *Entry { return &Entry{Call: "exec.run", Target: target, Class: ClassNone} }

func must(t testing.TB, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

// reread reads dir's journal and fails the test if it does not say what s says, times aside.
func reread(t testing.TB, dir string, s *State) *State {
	t.Helper()
	got, err := Read(dir)
	must(t, err)
	if g, w := asJSON(t, got), asJSON(t, s); g != w {
		t.Errorf("the file says\n%s\nbut the journal said\n%s", g, w)
	}
	return got
}

func asJSON(t testing.TB, s *State) string {
	t.Helper()
	c := *s
	c.Torn, c.Cut = false, 0
	b, err := json.MarshalIndent(c, "", " ")
	must(t, err)
	return string(b)
}

func pending(s *State) string {
	var ids []string
	for _, e := range s.Pending() {
		ids = append(ids, fmt.Sprint(e.ID))
	}
	return strings.Join(ids, " ")
}
