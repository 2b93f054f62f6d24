package runtime

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestFind(t *testing.T) {
	s := fakeRuns(t, "20260101-000000-000", "20260101-000000-001", "20260202-000000-000")
	for name, want := range map[string]string{
		"20260202":            "20260202-000000-000",
		"20260101-000000-001": "20260101-000000-001",
		"20260101":            "2 runs begin with 20260101; give more of the name",
		"":                    `there is no run ""`,
		"2027":                `there is no run "2027"; ` + "`infrarun runs` lists them",
		"../x":                `there is no run "../x"`,
	} {
		rec, err := s.Find(name)
		if err != nil && !strings.Contains(err.Error(), want) || err == nil && rec.Run.ID != want {
			t.Errorf("Find(%q) = %s, %v, want %s", name, rec.Run.ID, err, want)
		}
	}
}

// fakeRuns makes a state with runs that succeeded.
func fakeRuns(t testing.TB, ids ...string) *State {
	t.Helper()
	s, err := OpenState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		s.fake(t, id, journal.Committed, &events.Outcome{Result: events.Succeeded, Changes: 1})
	}
	return s
}

// fake makes a run that ended so.
func (s *State) fake(t testing.TB, id string, ended journal.Outcome, o *events.Outcome) {
	t.Helper()
	j, err := journal.Create(s.RunDir(id), journal.Meta{Run: id, Recipe: "r.star", PID: 7})
	if err == nil && ended != journal.Clean {
		err = j.Intend(&journal.Entry{Call: "x", Class: journal.ClassNone})
	}
	if err == nil && ended == journal.RolledBack {
		err = j.Undoing()
	}
	if err == nil {
		err = errors.Join(j.Close(ended), s.writeRecord(Record{Run: events.Run{ID: id}, PID: 7, Outcome: o}))
	}
	for _, name := range []string{"blobs/b", "trash/1", "sources/recipe/main.star", "deploy.log"} {
		writeFile(t, filepath.Join(s.RunDir(id), name), "")
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A run that was killed between its journal and its run.json, or whose run.json is damaged, is what
// its journal says.
func TestRecordFromTheJournal(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		ended journal.Outcome
		want  events.Result // "": none
	}{
		"committed":   {journal.Committed, events.Succeeded},
		"clean":       {journal.Clean, events.Refused},
		"rolled back": {journal.RolledBack, events.RolledBack},
		"incomplete":  {journal.Incomplete, events.Incomplete},
		"unfinished":  {journal.Unfinished, ""},
	}
	const id = "20260101-000000-000"
	for name, tt := range tests {
		for damage, text := range map[string]string{"none": "none", "missing": "", "empty": "", "torn": `{"run": {"id": "2026`, "of another": `{"run": {"id": "x"}}`} {
			t.Run(name+", "+damage, func(t *testing.T) {
				s := fakeRuns(t)
				s.fake(t, id, tt.ended, nil)
				file := filepath.Join(s.RunDir(id), "run.json")
				switch damage {
				case "none":
				case "missing":
					if err := os.Remove(file); err != nil {
						t.Fatal(err)
					}
				default:
					writeFile(t, file, text)
				}
				r, err := s.Find(id)
				if err != nil || r.PID != 7 || r.Run.ID != id || (r.Outcome == nil) != (tt.want == "") {
					t.Fatalf("got %+v, %v", r, err)
				}
				if r.Outcome != nil && r.Outcome.Result != tt.want {
					t.Errorf("it ended %s, want %s", r.Outcome.Result, tt.want)
				}
				_, pending, err := s.unfinished()
				if want := tt.ended == journal.Unfinished || tt.ended == journal.Incomplete; err != nil || pending != want {
					t.Errorf("it must be rolled back: %v, %v, want %v", pending, err, want)
				}
			})
		}
	}
}

// The newest run can be rolled back although it was killed before it told that it succeeded.
func TestRollbackOfARunKilledAfterItsCommit(t *testing.T) {
	l := newLab(t)
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	l.run(`box.put(DIR + "/a", "2")`).want(events.Succeeded, ExitDone)
	rec := l.record()
	rec.Outcome, rec.Finished = nil, time.Time{}
	if err := l.state.writeRecord(rec); err != nil {
		t.Fatal(err)
	}
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=1\n")
}

func TestOddDirectories(t *testing.T) {
	l := newLab(t)
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	runs := filepath.Join(l.state.Dir(), "runs")
	writeFile(t, filepath.Join(runs, "file"), "x")
	writeFile(t, filepath.Join(runs, "20990101-000000-000/sources/recipe/x.star"), "killed before it began")
	writeFile(t, filepath.Join(runs, "20990101-000000-001/run.json"), "torn, and no journal")
	if err := os.Symlink("nowhere", filepath.Join(runs, "link")); err != nil {
		t.Fatal(err)
	}
	if all, err := l.state.Runs(); err != nil || len(all) != 1 {
		t.Errorf("runs: %v, %v", all, err)
	}
	l.run(`box.put(DIR + "/a", "2")`).want(events.Succeeded, ExitDone)
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=1\n")

	writeFile(t, filepath.Join(runs, "20990101-000000-002/run.json"), "torn")
	writeFile(t, filepath.Join(runs, "20990101-000000-002/journal"), "torn, too, and nobody knows what it was")
	l.run(`box.put(DIR + "/a", "3")`).want(events.Refused, ExitRefused).wantError("the journal of run 20990101-000000-002", "is corrupt")
}

func FuzzRunJSON(f *testing.F) {
	whole, err := json.Marshal(Record{Run: events.Run{ID: "20260101-000000-000"}, Outcome: &events.Outcome{Result: events.Succeeded}})
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(whole), "", "{", "null", "[]", `{"run":{"id":"../x"}}`, `{"outcome":null,"rollback":{}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := OpenState(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		const id = "20260101-000000-000"
		if err := os.MkdirAll(s.RunDir(id), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.RunDir(id), "run.json"), data, 0o600); err != nil {
			t.Fatal(err)
		}
		runs, err := s.Runs()
		if err != nil || len(runs) > 1 {
			t.Fatalf("runs %v, %v", runs, err)
		}
		if len(runs) == 1 && runs[0].Run.ID != id {
			t.Errorf("its name is %q", runs[0].Run.ID)
		}
		if _, _, err := s.newestUndoable(); err != nil {
			t.Error(err)
		}
		if err := s.prune(); err != nil {
			t.Error(err)
		}
	})
}
