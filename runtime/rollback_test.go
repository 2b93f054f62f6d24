package runtime

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

const threePuts = `

box.put(DIR + "/a", "new a")
box.put(DIR + "/b", "new b")
box.put(DIR + "/a", "newer a")
`

func TestRollbackIsNewestFirst(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old a")
	r := l.run(threePuts+"rollback.push(box.do, \"pushed\")\nfail(\"no\")").want(events.RolledBack, ExitRolledBack)
	l.wantTree("a=old a\n")
	var undone []string
	for _, e := range r.Events(events.Undone) {
		undone = append(undone, e.Change.Call+" "+filepath.Base(e.Change.Target))
	}
	wantLines(t, undone, "rollback.push box.do", "box.put a", "box.put b", "box.put a")
	if r.Undone != 3 || r.Outcome.Changes != 3 {
		t.Errorf("undone %d of %d changes, want 3 of 3", r.Undone, r.Outcome.Changes)
	}
	if started := r.Events(events.RollbackStarted); len(started) != 1 || started[0].Total != 4 {
		t.Errorf("told the start of the rollback as %+v", started)
	}
	rec := l.record()
	if rec.Outcome.Result != events.RolledBack || rec.Outcome.ExitCode != ExitRolledBack || rec.Rollback != nil || rec.Outcome.Duration == 0 {
		t.Errorf("run.json says %+v", rec.Outcome)
	}
	if st := l.journal(); st.Outcome != journal.RolledBack || len(st.Pending()) != 0 {
		t.Errorf("the journal says %s, pending %d", st.Outcome, len(st.Pending()))
	}
}

// A failing undo does not stop the rest; what is left is told, and the command that goes on.
func TestIncompleteRollback(t *testing.T) {
	l := newLab(t)
	l.box.undoing = func(_ *Writer, path string) error {
		if filepath.Base(path) == "b" {
			return errors.New("device is busy")
		}
		return nil
	}
	r := l.run(threePuts+"fail(\"no\")").want(events.Incomplete, ExitIncomplete).wantError("fail: no")
	l.wantTree("b=new b\n")
	id := l.record().Run.ID
	if len(r.Left) != 1 || r.Left[0] != (events.Left{Call: "box.put", Target: l.path("b"), Error: "device is busy"}) || r.Undone != 2 {
		t.Errorf("left %+v, undone %d", r.Left, r.Undone)
	}
	wantLines(t, r.Next, "infrarun rollback "+id)
	if rec := l.record(); rec.Outcome.Result != events.Incomplete || len(rec.Outcome.Left) != 1 {
		t.Errorf("run.json says %+v", rec.Outcome)
	}

	blocked := l.run(`box.put(DIR + "/c", "1")`).want(events.Locked, ExitLocked)
	blocked.wantError("run "+id+" was interrupted and has not been rolled back", "hint: infrarun rollback "+id)
	wantLines(t, blocked.Next, "infrarun rollback "+id)

	again := l.rollback("").want(events.Incomplete, ExitIncomplete)
	wantLines(t, again.Next, "infrarun rollback "+id)
	if len(again.Events(events.Undone)) != 1 {
		t.Error("it did again what was done")
	}
	l.box.undoing = nil
	if done := l.rollback("").want(events.Restored, ExitDone); done.Undone != 1 {
		t.Errorf("undone %d, want the one that was left", done.Undone)
	}
	l.wantTree("")
	if rec := l.record(); rec.Outcome.Result != events.Incomplete || rec.Rollback.Result != events.Restored {
		t.Errorf("run.json says %+v, then %+v", rec.Outcome, rec.Rollback)
	}
	l.run(`box.put(DIR + "/c", "1")`).want(events.Succeeded, ExitDone)
}

// An undo that fails holds up those of older changes to the same thing: what they put back, it would take away again
// when it is tried anew, or replace by what was there in between.
func TestOlderUndosWaitForOneThatFailed(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old a")
	jammed := true
	l.box.undoing = func(_ *Writer, path string) error {
		if jammed && path == l.path("a") {
			jammed = false // fails once
			return errors.New("device is busy")
		}
		return nil
	}
	r := l.run(threePuts+"fail(\"no\")").want(events.Incomplete, ExitIncomplete)
	wantLeft(t, r, "a: device is busy", "a: waits for the undo of the later box.put "+l.path("a"))
	l.wantTree("a=newer a\n") // b, which is another thing, is put back
	r = l.rollback("").want(events.Restored, ExitDone)
	if r.Undone != 2 {
		t.Errorf("undone %d, want both of a", r.Undone)
	}
	l.wantTree("a=old a\n")
}

func TestWhichUndosWait(t *testing.T) {
	entry := func(call, target string, touches ...string) journal.EntryState {
		return journal.EntryState{Entry: journal.Entry{Call: call, Target: target, Touches: touches, Undo: &journal.Undo{Kind: call}}}
	}
	stuck := entry("fs.write", "/srv/app/conf", "/etc/app")
	for _, tt := range []struct {
		older journal.EntryState
		want  bool
	}{
		{entry("fs.mkdir", "/srv/app"), true},
		{entry("fs.write", "/srv/app/conf"), true},
		{entry("fs.write", "/srv/app/conf/d/x"), true},
		{entry("fs.move", "/tmp/x", "/etc/app/y"), true},
		{entry("fs.write", "/srv/app/config"), false},
		{entry("systemd.start", "app.service"), false},
		{entry(actionKind, "/srv/app/conf"), false},
	} {
		if err := waiting(tt.older, []journal.EntryState{entry("fs.write", "/var/x"), stuck}); (err != nil) != tt.want {
			t.Errorf("%s %s: %v, want it to wait: %v", tt.older.Call, tt.older.Target, err, tt.want)
		}
	}
}

// wantLeft compares what a rollback left, each as the name of the target and the error.
func wantLeft(t testing.TB, r *result, want ...string) {
	t.Helper()
	var left []string
	for _, l := range r.Left {
		left = append(left, filepath.Base(l.Target)+": "+l.Error)
	}
	wantLines(t, left, want...)
}

// The command that goes on is the one that was given.
func TestIncompleteRollbackOfMore(t *testing.T) {
	l := newLab(t)
	l.run(threePuts).want(events.Succeeded, ExitDone)
	l.box.undoing = func(*Writer, string) error { return errors.New("device is busy") }
	l.also = []string{"packages"}
	r := l.rollback("").want(events.Incomplete, ExitIncomplete)
	wantLines(t, r.Next, "infrarun rollback "+l.record().Run.ID+" --remove-packages")
}

func TestPanicInAnUndo(t *testing.T) {
	l := newLab(t)
	l.box.undoing = func(_ *Writer, path string) error {
		if filepath.Base(path) == "b" {
			panic("out of paper")
		}
		return nil
	}
	r := l.run(threePuts+"fail(\"no\")").want(events.Incomplete, ExitIncomplete)
	if len(r.Left) != 1 || !strings.Contains(r.Left[0].Error, "undo of box.put: internal error: out of paper") {
		t.Errorf("left %+v", r.Left)
	}
}

func TestRollbackGivesARollbacksWriter(t *testing.T) {
	l := newLab(t)
	var id string
	l.box.undoing = func(w *Writer, _ string) error {
		w.Require()
		id = w.RunID()
		w.Output("stdout", "undoing")
		return nil
	}
	r := l.run("box.put(DIR + \"/a\", \"1\")\nfail(\"no\")").want(events.RolledBack, ExitRolledBack)
	if id != l.record().Run.ID || len(r.Events(events.Output)) != 1 {
		t.Errorf("the undo's run is %q", id)
	}
}
