package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func TestRunThatIsRolledBackByAnotherProcess(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	entries := []*Entry{write("/a"), write("/b"), write("/c"), write("/d"), run("/bin/true"), write("/never")}
	must(t, j.Intend(entries[:2]...), j.Intend(entries[2:]...))
	for i, e := range entries {
		if e.ID != uint64(i+1) {
			t.Errorf("entry %d has ID %d", i+1, e.ID)
		}
	}
	must(t,
		j.Done(1, json.RawMessage(`{"mode": "0600"}`)), j.Failed(3, "no space left"), j.Withdraw(4, "cancelled"),
		j.Done(5, nil), j.Close(Unfinished))
	s := reread(t, dir, j.State())
	if got := pending(s); got != "6 5 3 2 1" {
		t.Errorf("pending: %s", got)
	}
	if s.Outcome != Unfinished || s.Undoing || s.Torn || s.Meta.Run != "7" || string(s.Meta.Args) != `{"env":"staging"}` {
		t.Errorf("state: %+v", s)
	}
	if e := s.Entries[0]; string(e.After) != `{"mode":"0600"}` || e.Undo.Note != "restore <2> bytes" || e.Step != "7 code" {
		t.Errorf("entry 1: %+v", e)
	}

	j, s, err := Open(dir)
	must(t, err)
	if got := pending(s); got != "6 5 3 2 1" {
		t.Errorf("pending after open: %s", got)
	}
	must(t, j.Undoing(), j.Undone(6), j.UndoFailed(3, "busy"), j.Undone(2, 1), j.Close(Incomplete))
	s = reread(t, dir, j.State())
	if s.Outcome != Incomplete || !s.Undoing || s.Ended.IsZero() {
		t.Errorf("state: %+v", s)
	}
	if got := pending(s); got != "5 3" {
		t.Errorf("an undo that failed is tried again: pending %s", got)
	}
	if e := s.Entries[2]; e.Status != UndoFailed || e.Error != "busy" {
		t.Errorf("entry 3: %+v", e)
	}

	j, _, err = Open(dir)
	must(t, err, j.Undoing(), j.Undone(3), j.Close(RolledBack))
	if s = reread(t, dir, j.State()); s.Outcome != RolledBack || pending(s) != "5" {
		t.Errorf("outcome %q, pending %s", s.Outcome, pending(s))
	}
}

func TestCommittedRunIsRolledBackLater(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	must(t, j.Intend(write("/a")), j.Done(1, nil), j.Close(Committed))
	if s := reread(t, dir, j.State()); s.Outcome != Committed || s.Undoing {
		t.Fatalf("state: %+v", s)
	}
	j, _, err := Open(dir)
	must(t, err, j.Undoing())
	// A process that dies here leaves a run that is half undone, not a committed one.
	if s := reread(t, dir, j.State()); s.Outcome != Unfinished || !s.Ended.IsZero() || !s.Undoing {
		t.Errorf("state while undoing: %+v", s)
	}
	must(t, j.Undone(1), j.Close(RolledBack))
	if s := reread(t, dir, j.State()); s.Outcome != RolledBack || len(s.Pending()) != 0 {
		t.Errorf("state: %+v", s)
	}
}

func TestClosedJournal(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	must(t, j.Close(Clean))
	for _, err := range []error{j.Intend(write("/a")), j.Undoing(), j.Close(Clean)} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("error %v, want ErrClosed", err)
		}
	}
	j, _, err := Open(dir)
	must(t, err)
	if err := j.Intend(write("/a")); err == nil || !strings.Contains(err.Error(), "after the run has ended: clean") {
		t.Errorf("a change in a run that has ended: %v", err)
	}
	must(t, j.Close(Unfinished))
}

func TestCreate(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	must(t, j.Intend(write("/a")), j.Close(Unfinished))
	before, err := os.ReadFile(filepath.Join(dir, filename))
	must(t, err)
	if _, err := Create(dir, testMeta); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second Create: %v, want fs.ErrExist", err)
	}
	after, err := os.ReadFile(filepath.Join(dir, filename))
	must(t, err)
	if !slices.Equal(before, after) {
		t.Error("the second Create changed the journal")
	}
	for path, want := range map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, filename): 0o600} {
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %s is %o, want %o", path, got, want)
		}
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read without a journal: %v", err)
	}
	if _, _, err := Open(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Open without a journal: %v", err)
	}
}

func TestCallerMayReuseWhatItPassed(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	e := write("/a")
	must(t, j.Intend(e))
	e.Undo.Kind, e.Undo.Args[2] = "changed", 'X'
	reread(t, dir, j.State())
	must(t, j.Close(Committed))
}

func TestParallelSteps(t *testing.T) {
	const steps, changes = 8, 20
	dir := newRun(t)
	j := create(t, dir)
	var wg sync.WaitGroup
	for step := range steps {
		wg.Go(func() {
			for i := range changes {
				content := fmt.Sprintf("old content of %d", i) // the same in all steps
				b, err := j.Keep(strings.NewReader(content), KeepOptions{Seal: i%5 == 0})
				e := write(fmt.Sprintf("/%d/%d", step, i))
				err = errors.Join(err, j.Intend(e), j.Done(e.ID, json.RawMessage(`"`+e.Target+`"`)))
				if err != nil {
					t.Error(err)
					return
				}
				if got := readBlob(t, j.Blobs, b); got != content {
					t.Errorf("blob holds %q, want %q", got, content)
				}
				j.State().Pending()
			}
		})
	}
	wg.Wait()
	must(t, j.Close(Committed))
	s := reread(t, dir, j.State())
	if len(s.Entries) != steps*changes {
		t.Fatalf("%d entries", len(s.Entries))
	}
	for _, e := range s.Entries {
		if e.Status != Done || string(e.After) != `"`+e.Target+`"` {
			t.Errorf("entry %d, %s: %s, after %s", e.ID, e.Target, e.Status, e.After)
		}
	}
}
