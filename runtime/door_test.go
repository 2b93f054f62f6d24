package runtime

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestDoorOrder(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("same"), "1")
	body := `
box.put(DIR + "/same", "1")
box.put(DIR + "/new", "2")
`
	l.preview(body).want(events.WouldChange, ExitWouldChange)
	l.wantCalls("probe same", "probe new", "predict new")
	l.wantTree("same=1\n")

	r := l.run(body).want(events.Succeeded, ExitDone)
	l.wantCalls("probe same", "probe new", "undo new", "apply new")
	l.wantTree("new=2\nsame=1\n")
	if r.Outcome.Changes != 1 || r.Unchanged != 1 {
		t.Errorf("%d changes, %d unchanged, want one of each", r.Outcome.Changes, r.Unchanged)
	}
	var kinds []string
	for _, e := range r.Events(events.ChangeStarted, events.ChangeFinished) {
		kinds = append(kinds, string(e.Kind)+" "+string(e.Change.Status))
	}
	if want := []string{"change.finished unchanged", "change.started ", "change.finished done"}; !slices.Equal(kinds, want) {
		t.Errorf("events %q, want %q", kinds, want)
	}

	l.run(body).want(events.Succeeded, ExitDone)
	l.wantCalls("probe same", "probe new")
}

// wantCalls stops the test unless the methods of changes were called so since the last time.
func (l *lab) wantCalls(want ...string) {
	l.t.Helper()
	var got []string
	for _, call := range l.box.calls {
		what, target, _ := strings.Cut(call, " ")
		got = append(got, what+" "+filepath.Base(target))
	}
	l.box.calls = nil
	if !slices.Equal(got, want) {
		l.t.Fatalf("calls %q, want %q", got, want)
	}
}

func TestIntentIsJournalledBeforeApply(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old")
	seen := false
	l.box.applying = func(_ context.Context, w *Writer, target string) error {
		st, err := journal.Read(l.state.RunDir(w.RunID()))
		if err != nil {
			return err
		}
		e := st.Entries[len(st.Entries)-1]
		seen = e.Target == target && e.Status == journal.Intended && e.Undo.Kind == "box.put" && e.Call == "box.put" &&
			e.Step == "write" && strings.HasSuffix(e.Position, "main.star:4:41")
		if !seen {
			t.Errorf("the journal has %+v", e)
		}
		return nil
	}
	l.run(`run.step("Write it", lambda: box.put(DIR + "/a", "new"), name = "write")`).want(events.Succeeded, ExitDone)
	if !seen {
		t.Error("Apply was not called")
	}
	e := l.journal().Entries[0]
	if e.Status != journal.Done || after(e) != "new" {
		t.Errorf("the journal says %s, and that it left %s", e.Status, e.After)
	}
}

func TestFailingChange(t *testing.T) {
	boom := errors.New("no space left")
	tests := []struct {
		name     string
		body     string
		applying func(target string) error
		result   events.Result
		code     int
		changes  int
		outcome  journal.Outcome
	}{
		{"apply fails", `box.put(DIR + "/a", "1")`, func(string) error { return boom },
			events.RolledBack, ExitRolledBack, 1, journal.RolledBack},
		{"not applied", `box.put(DIR + "/a", "1")`, func(string) error { return NotApplied(boom) },
			events.Refused, ExitRefused, 0, journal.Clean},
		{"not applied after another", "box.put(DIR + \"/a\", \"1\")\nbox.put(DIR + \"/b\", \"1\")", func(target string) error {
			if filepath.Base(target) == "b" {
				return NotApplied(boom)
			}
			return nil
		}, events.RolledBack, ExitRolledBack, 1, journal.RolledBack},
		{"apply panics", `box.put(DIR + "/a", "1")`, func(string) error { panic(boom) },
			events.RolledBack, ExitRolledBack, 1, journal.RolledBack},
		{"nothing undoes it", `box.do("x")`, func(string) error { return boom },
			events.RolledBack, ExitRolledBack, 1, journal.RolledBack},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.box.applying = func(_ context.Context, _ *Writer, target string) error { return tt.applying(target) }
			r := l.run(tt.body).want(tt.result, tt.code).wantError("no space left", "main.star:")
			if r.Outcome.Changes != tt.changes {
				t.Errorf("%d changes, want %d", r.Outcome.Changes, tt.changes)
			}
			l.wantTree("")
			if st := l.journal(); st.Outcome != tt.outcome {
				t.Errorf("the journal ended %q, want %q", st.Outcome, tt.outcome)
			}
			if len(r.Collector.Changes(events.Failed)) != 1 {
				t.Errorf("told %q, want one failed change", r.told())
			}
		})
	}
}

func TestFailureBeforeAnyChange(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "1")
	r := l.run("box.put(DIR + \"/a\", \"1\")\nfail(\"no\")").want(events.Refused, ExitRefused).wantError("main.star:5:9: fail: no")
	if r.Unchanged != 1 {
		t.Errorf("%d unchanged, want 1", r.Unchanged)
	}
	if st := l.journal(); st.Outcome != journal.Clean {
		t.Errorf("the journal ended %q", st.Outcome)
	}
	l.run(`fail("again")`).want(events.Refused, ExitRefused)
}

// What nothing undoes is named, and is not counted among what was undone.
func TestWhatNothingUndoes(t *testing.T) {
	l := newLab(t)
	r := l.run("box.put(DIR + \"/a\", \"1\")\nbox.do(\"migrate\")\nfail(\"no\")").want(events.RolledBack, ExitRolledBack)
	if r.Undone != 1 || r.Outcome.Changes != 2 || len(r.Events(events.Undone)) != 1 {
		t.Errorf("undone %d of %d, %d events", r.Undone, r.Outcome.Changes, len(r.Events(events.Undone)))
	}
	wantParts(t, "log", r.logs("warn"), "nothing undoes: box.do migrate")
	if class := r.Collector.Changes(events.Done)[1].Undo; class != string(NoUndo) {
		t.Errorf("its class is %q", class)
	}
}

// What an undo leaves on purpose is told with how to remove it, and does not count as undone. Only the operator who
// calls a rollback can ask for it.
func TestWhatIsKept(t *testing.T) {
	l := newLab(t)
	l.also = []string{"things"}
	l.box.undoing = func(w *Writer, path string) error {
		if path == l.path("b") && !w.Also("things") {
			w.Kept("the thing b", "rm b")
		}
		return nil
	}
	const body = "box.put(DIR + \"/a\", \"1\")\nbox.put(DIR + \"/b\", \"2\")\n"
	r := l.run(body+"fail(\"no\")").want(events.RolledBack, ExitRolledBack)
	want := []events.Kept{{What: "the thing b", Remove: "rm b"}}
	if r.Undone != 1 || !slices.Equal(r.Kept, want) || !slices.Equal(l.record().Outcome.Kept, want) {
		t.Errorf("undone %d, kept %v, in run.json %v; want 1 and %v", r.Undone, r.Kept, l.record().Outcome.Kept, want)
	}
	if told := r.Events(events.Undone); told[0].Change.Status != events.Unchanged || told[1].Change.Status != events.Done {
		t.Errorf("told %s and %s", told[0].Change.Status, told[1].Change.Status)
	}
	l.run(body).want(events.Succeeded, ExitDone)
	if r := l.rollback("").want(events.Restored, ExitDone); r.Undone != 2 || len(r.Kept) != 0 {
		t.Errorf("asked for it, %d were undone, and kept %v", r.Undone, r.Kept)
	}
}

// The class that is told is that of the undo there is, not the one that the family promises.
func TestToldClassIsTrue(t *testing.T) {
	l := newLab(t)
	l.box.hook("change", func(c *Call) (starlark.Value, error) { return c.Do(boastful{}) })
	r := l.run(`box.hook("change")`).want(events.Succeeded, ExitDone)
	if class := r.Collector.Changes(events.Done)[0].Undo; class != string(NoUndo) {
		t.Errorf("told class %q of a change without an undo", class)
	}
}

// boastful is a change that promises an undo and has none.
type boastful struct{}

func (boastful) Describe() Description {
	return Description{Call: "box.hook", Target: "x", Undo: Exact}
}

func (boastful) Probe(context.Context, *Reader) (Finding, error) {
	return Finding{Needed: true}, nil
}

func (boastful) Undo(context.Context, *Keeper) (*Undo, error) { return nil, nil }

func (boastful) Apply(context.Context, *Writer) (Applied, error) { return Applied{}, nil }

func (boastful) Predict(*World) (starlark.Value, error) { return nil, errors.New("no prediction") }

func TestFailingPredictionIsNoChange(t *testing.T) {
	l := newLab(t)
	l.box.hook("change", func(c *Call) (starlark.Value, error) { return c.Do(boastful{}) })
	r := l.preview(`box.hook("change")`).want(events.Refused, ExitRefused).wantError("no prediction")
	if len(r.Collector.Changes(events.Would)) != 0 {
		t.Error("a change was told that could not be predicted")
	}
}

func TestPreviewSeesItsPredictions(t *testing.T) {
	l := newLab(t)
	r := l.preview(`
box.put(DIR + "/a", "1")
box.put(DIR + "/a", "1")
if box.get(DIR + "/a") != "1":
    fail("not predicted")
`).want(events.WouldChange, ExitWouldChange)
	if got := strings.Join(r.told(), ", "); got != "would box.put a, unchanged box.put a" {
		t.Errorf("told %s", got)
	}
}

func TestPreviewChangesNothing(t *testing.T) {
	l := newLab(t)
	l.preview("box.put(DIR + \"/a\", \"1\")\nbox.do(\"x\")\nrollback.push(box.put, DIR + \"/b\", \"2\")").want(events.WouldChange, ExitWouldChange)
	l.wantCalls("probe a", "predict a", "predict x")
	l.wantTree("")
	if _, err := os.Stat(l.state.Dir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the preview made a state directory: %v", err)
	}
}
