package runtime

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestPrune(t *testing.T) {
	t.Parallel()
	s := fakeRuns(t)
	name := func(i int) string { return fmt.Sprintf("20260101-000000-%03d", i) }
	failed := &events.Outcome{Result: events.RolledBack, Changes: 1}
	// From old to new: 4 that succeeded, 60 that failed, 3 that succeeded, 2 that changed nothing.
	for i := range 69 {
		switch {
		case i < 4, i >= 64 && i < 67:
			s.fake(t, name(i), journal.Committed, &events.Outcome{Result: events.Succeeded, Changes: 1})
		case i >= 67:
			s.fake(t, name(i), journal.Clean, &events.Outcome{Result: events.Succeeded})
		default:
			s.fake(t, name(i), journal.RolledBack, failed)
		}
	}
	for _, foreign := range []string{"runs/notes", "runs/20260101-000000-zzz"} {
		writeFile(t, filepath.Join(s.Dir(), foreign, "x"), "")
	}
	writeFile(t, filepath.Join(s.Dir(), "runs/20260101-000001-000/sources/x"), "") // killed before it began
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	var whole, history []string
	for i := range 69 {
		if _, err := os.Stat(filepath.Join(s.RunDir(name(i)), "run.json")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(s.RunDir(name(i)), "deploy.log")); err != nil {
			t.Errorf("run %d lacks its log", i)
		}
		gone := 0
		for _, part := range []string{"journal", "trash"} {
			if _, err := os.Stat(filepath.Join(s.RunDir(name(i)), part)); err != nil {
				gone++
			}
		}
		_, err := os.Stat(filepath.Join(s.RunDir(name(i)), "blobs"))
		if want := gone == 0 && i < 67; (err == nil) != want { // those that changed nothing need none
			t.Errorf("run %d has contents: %v, want %v", i, err == nil, want)
		}
		switch gone {
		case 0:
			whole = append(whole, name(i))
		case 2:
			history = append(history, name(i))
		default:
			t.Errorf("run %d is half pruned", i)
		}
	}
	// Whole are the 5 newest, and the 5 newest that can be undone, however old. Of the rest 50 in all are kept.
	wantLines(t, whole, name(2), name(3), name(64), name(65), name(66), name(67), name(68))
	if len(history) != 45 || history[0] != name(19) {
		t.Errorf("of %d runs only the history is left: %v", len(history), history)
	}
	for _, foreign := range []string{"notes", "20260101-000000-zzz"} {
		if _, err := os.Stat(s.RunDir(foreign)); err != nil {
			t.Errorf("%s was removed", foreign)
		}
	}
	if _, err := os.Stat(s.RunDir("20260101-000001-000")); err == nil {
		t.Error("what never began is still there")
	}
}

func TestPruneKeepsHistory(t *testing.T) {
	s := fakeRuns(t)
	for i := range 8 {
		s.fake(t, fmt.Sprintf("20260101-000000-%03d", i), journal.Committed, &events.Outcome{Result: events.Succeeded, Changes: 1})
	}
	s.fake(t, "20251231-000000-000", journal.Unfinished, nil)
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	for i := range 8 {
		_, err := os.Stat(filepath.Join(s.RunDir(fmt.Sprintf("20260101-000000-%03d", i)), "journal"))
		if want := i >= 3; (err == nil) != want {
			t.Errorf("run %d has a journal: %v, want %v", i, err == nil, want)
		}
	}
	if _, err := os.Stat(filepath.Join(s.RunDir("20251231-000000-000"), "journal")); err != nil {
		t.Error("the journal of an interrupted run was removed")
	}
	if r, err := s.Find("20260101-000000-000"); err != nil || r.Outcome == nil {
		t.Errorf("its history is gone: %v", err)
	}
}

// What a run kept goes when there is nothing to undo of it any more, and not before.
func TestPruneOfWhatIsUndone(t *testing.T) {
	t.Parallel()
	s := fakeRuns(t)
	runs := []struct {
		ended  journal.Outcome
		result events.Result
		want   bool
	}{
		{journal.Committed, events.Succeeded, true},
		{journal.RolledBack, events.RolledBack, false},
		{journal.Clean, events.Refused, false},
		{journal.Incomplete, events.Incomplete, true},
	}
	for i, r := range runs {
		s.fake(t, fmt.Sprintf("20260101-000000-%03d", i), r.ended, &events.Outcome{Result: r.result, Changes: 1})
	}
	if err := s.prune(); err != nil {
		t.Fatal(err)
	}
	for i, r := range runs {
		dir := s.RunDir(fmt.Sprintf("20260101-000000-%03d", i))
		if _, err := os.Stat(filepath.Join(dir, "blobs/b")); (err == nil) != r.want {
			t.Errorf("%s: its contents are there: %v, want %v", r.ended, err == nil, r.want)
		}
		for _, name := range []string{"journal", "trash/1", "deploy.log"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				t.Errorf("%s: %v", r.ended, err)
			}
		}
	}
}
