package runtime

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestRollbackOfASucceededRun(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old a")
	l.run(threePuts).want(events.Succeeded, ExitDone)
	l.wantTree("a=newer a\nb=new b\n")
	id := l.record().Run.ID
	r := l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=old a\n")
	started := r.Events(events.RunStarted)
	if r.Undone != 3 || len(started) != 1 || started[0].Run.ID != id || started[0].Run.Mode != events.ModeRollback {
		t.Errorf("undone %d, started %+v", r.Undone, started)
	}
	rec := l.record()
	if rec.Outcome.Result != events.Succeeded || rec.Rollback == nil || rec.Rollback.Result != events.Restored || rec.Rollback.Undone != 3 {
		t.Errorf("run.json says %+v, then %+v", rec.Outcome, rec.Rollback)
	}
	l.rollback(id).want(events.Refused, ExitRefused).wantError("run " + id + " has been rolled back already")
	l.rollback("").want(events.Refused, ExitRefused).wantError("there is no run to roll back")
	l.wantTree("a=old a\n")
}

// The log and the events of a run go on with those of its rollback; each has its report.
func TestRollbackGoesOnWithTheLog(t *testing.T) {
	l := newLab(t)
	l.run(threePuts).want(events.Succeeded, ExitDone)
	dir := l.state.RunDir(l.record().Run.ID)
	report := readFile(t, filepath.Join(dir, "report.html"))
	before := readFile(t, filepath.Join(dir, "events.jsonl"))
	l.rollback("").want(events.Restored, ExitDone)
	after := readFile(t, filepath.Join(dir, "events.jsonl"))
	if !strings.HasPrefix(after, before) || strings.Count(after, `"event":"run.finished"`) != 2 || strings.Count(after, `"event":"undo"`) != 3 {
		t.Errorf("events.jsonl:\n%s", after)
	}
	if log := readFile(t, filepath.Join(dir, "deploy.log")); strings.Count(log, "run.finished") != 2 {
		t.Errorf("deploy.log:\n%s", log)
	}
	if readFile(t, filepath.Join(dir, "report.html")) != report {
		t.Error("the run's report was replaced")
	}
	wantParts(t, "report", readFile(t, filepath.Join(dir, "rollback.html")), "Rollback")
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestWhichRunIsRolledBack(t *testing.T) {
	l := newLab(t)
	l.rollback("").want(events.Refused, ExitRefused).wantError("there is no run to roll back")
	l.rollback("x").want(events.Refused, ExitRefused).wantError(`there is no run "x"`)

	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	first := l.record().Run.ID
	l.run(`box.put(DIR + "/a", "2")`).want(events.Succeeded, ExitDone)
	second := l.record().Run.ID
	l.run("box.put(DIR + \"/a\", \"3\")\nfail(\"no\")").want(events.RolledBack, ExitRolledBack)
	failed := l.record().Run.ID
	l.run(`box.put(DIR + "/a", "2")`).want(events.Succeeded, ExitDone)
	idle := l.record().Run.ID
	if first >= second || second >= failed || failed >= idle {
		t.Fatalf("the names %s %s %s %s are not in the order of the runs", first, second, failed, idle)
	}

	l.rollback(first).want(events.Refused, ExitRefused).wantError("run " + first + " is not the newest: roll back " + second + " first")
	l.rollback(failed).want(events.Refused, ExitRefused).wantError("run " + failed + " left nothing that could be put back")
	l.rollback(idle).want(events.Refused, ExitRefused).wantError("run " + idle + " left nothing that could be put back")
	l.wantTree("a=2\n")
	l.rollback("").want(events.Restored, ExitDone) // the second: the newest that changed something
	l.wantTree("a=1\n")
	l.rollback(first).want(events.Restored, ExitDone)
	l.wantTree("")
}

func TestDrift(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old a")
	l.run(threePuts).want(events.Succeeded, ExitDone)
	id := l.record().Run.ID
	before := l.journal()
	writeFile(t, l.path("a"), "somebody else's")
	r := l.rollback("").want(events.Refused, ExitRefused)
	r.wantError("the machine has changed since run "+id, l.path("a")+": has other content", "`infrarun rollback "+id+" --force`")
	if strings.Contains(r.Outcome.Error, l.path("b")) || strings.Count(r.Outcome.Error, "has other content") != 1 {
		t.Errorf("it tells more than what differs:\n%s", r.Outcome.Error)
	}
	l.wantTree("a=somebody else's\nb=new b\n")
	if rec := l.record(); rec.Rollback != nil || l.journal().Outcome != before.Outcome {
		t.Errorf("the refusal changed the run: %+v, journal %s", rec, l.journal().Outcome)
	}
	// What cannot be looked at is no difference.
	if err := errors.Join(os.Remove(l.path("a")), os.Symlink("a", l.path("a"))); err != nil {
		t.Fatal(err)
	}
	l.rollback("").want(events.Refused, ExitRefused).wantError("it cannot be told whether the machine has changed since run "+id, "too many levels")
	if err := os.Remove(l.path("a")); err != nil {
		t.Fatal(err)
	}
	writeFile(t, l.path("a"), "somebody else's")
	l.force = true
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=old a\n")
}

// What a later change of the same run does to the target of an earlier one is no drift, where only its probe knew of that.
func TestDriftByALaterChange(t *testing.T) {
	l := newLab(t)
	l.box.touches = []string{l.path("a")}
	l.box.applying = func(_ context.Context, _ *Writer, target string) error {
		if target == l.path("b") {
			writeFile(t, l.path("a"), "what the change of b makes of it")
		}
		return nil
	}
	l.run(`box.put(DIR + "/a", "1")`+"\n"+`box.put(DIR + "/b", "2")`).want(events.Succeeded, ExitDone)
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("")
}

// A rollback that was begun goes on, although the machine is not what the run left.
func TestRollbackOfARollbackThatWasKilled(t *testing.T) {
	l := newLab(t)
	writeFile(t, l.path("a"), "old a")
	l.run(threePuts).want(events.Succeeded, ExitDone)
	dir := l.state.RunDir(l.record().Run.ID)
	j, _, err := journal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.Undoing(), j.Close(journal.Unfinished)); err != nil {
		t.Fatal(err)
	}
	writeFile(t, l.path("a"), "half und") // as an undo that was killed left it
	l.run(`box.put(DIR + "/c", "1")`).want(events.Locked, ExitLocked)
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("a=old a\n")
}

func TestRollbackWithoutItsJournal(t *testing.T) {
	l := newLab(t)
	l.run(threePuts).want(events.Succeeded, ExitDone)
	id := l.record().Run.ID
	name := filepath.Join(l.state.RunDir(id), "journal")
	whole := readFile(t, name)

	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	l.rollback("").want(events.Refused, ExitRefused).wantError("run " + id + " can no longer be undone: only the newest 5 keep what that takes")

	broken := strings.Replace(whole, "newer a", "nexer a", 1)
	writeFile(t, name, strings.Replace(broken, "new b", "nex b", 1))
	r := l.rollback("").want(events.Refused, ExitRefused)
	r.wantError("the journal of run "+id, "is corrupt at byte", "hint: restore it from a copy; if there is none, see in "+l.state.RunDir(id)+"/deploy.log")
	l.run(`box.put(DIR + "/c", "1")`).want(events.Refused, ExitRefused).wantError("is corrupt at byte", "hint: restore it")
	wantParts(t, "warning", l.preview(`box.put(DIR + "/c", "1")`).want(events.WouldChange, ExitWouldChange).logs("warn"), "is corrupt")

	writeFile(t, name, whole)
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("")
}

// Of an interrupted run without a journal nobody knows what it changed: that is for the operator to say.
func TestInterruptedRunWithoutItsJournal(t *testing.T) {
	l := newLab(t)
	id := l.interruptRun()
	if err := os.Remove(filepath.Join(l.state.RunDir(id), "journal")); err != nil {
		t.Fatal(err)
	}
	for _, r := range []*result{l.run(`box.put(DIR + "/b", "1")`), l.rollback("")} {
		r.want(events.Refused, ExitRefused).wantError("the journal of run "+id, "no such file", "hint: restore it from a copy", "and move "+l.state.RunDir(id)+" away")
	}
	l.wantTree("a=1\n")
	if err := os.Rename(l.state.RunDir(id), filepath.Join(l.dir, "away")); err != nil {
		t.Fatal(err)
	}
	l.run(`box.put(DIR + "/b", "1")`).want(events.Succeeded, ExitDone)
}

// An undo record that cannot be read is one that failed.
func TestUnreadableUndoRecords(t *testing.T) {
	k := UndoKind[putUndo, string]{
		UndoFunc:  func(context.Context, *Writer, putUndo) error { return nil },
		DriftFunc: func(context.Context, *Reader, putUndo, string) (string, error) { return "drift", nil },
	}
	if err := k.Undo(t.Context(), nil, []byte("{")); err == nil || !strings.Contains(err.Error(), "undo record is unreadable") {
		t.Errorf("undo: %v", err)
	}
	for _, tt := range []struct{ args, after, drift, want string }{
		{"{", `"x"`, "", "undo record is unreadable"},
		{"{}", "{}", "", "record of what the run left is unreadable"},
		{"{}", "", "", ""},
		{"{}", `"x"`, "drift", ""},
	} {
		drift, err := k.Drift(t.Context(), nil, []byte(tt.args), []byte(tt.after))
		if drift != tt.drift || (err != nil) != (tt.want != "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("drift of %s, %s: %q, %v", tt.args, tt.after, drift, err)
		}
	}
	if drift, err := (UndoKind[putUndo, string]{}).Drift(t.Context(), nil, []byte("{"), []byte("{")); drift != "" || err != nil {
		t.Errorf("without a function: %q, %v", drift, err)
	}
}

func TestRollbackIsInterruptedOnlyBeforeItBegins(t *testing.T) {
	l := newLab(t)
	l.run(threePuts).want(events.Succeeded, ExitDone)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrInterrupted)
	r := &result{t: t}
	r.Outcome = l.host.Rollback(ctx, "", l.options(r))
	r.want(events.Interrupted, ExitInterrupted)
	l.wantTree("a=newer a\nb=new b\n")

	ctx, cancel = context.WithCancelCause(t.Context())
	defer cancel(nil)
	l.box.undoing = func(*Writer, string) error { cancel(ErrInterrupted); return nil }
	r = &result{t: t}
	r.Outcome = l.host.Rollback(ctx, "", l.options(r))
	r.want(events.Restored, ExitDone)
	l.wantTree("")
}

func TestUndoOfAnUnknownKind(t *testing.T) {
	l := newLab(t)
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	host, err := NewHost("older", nil, l.stdlib, l.inside)
	if err != nil {
		t.Fatal(err)
	}
	r := &result{t: t}
	r.Outcome = host.Rollback(t.Context(), "", l.options(r))
	r.want(events.Incomplete, ExitIncomplete)
	if len(r.Left) != 1 || r.Left[0].Error != "this version of infrarun knows no undo of the kind box.put" {
		t.Errorf("left %+v", r.Left)
	}
	l.rollback("").want(events.Restored, ExitDone)
	l.wantTree("")
}
