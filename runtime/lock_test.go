package runtime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

func TestSecondRunNamesTheHolder(t *testing.T) {
	l := newLab(t)
	other := *l
	other.recipes = filepath.Join(t.TempDir(), "recipes")
	l.box.hook("meanwhile", func(*Call) (starlark.Value, error) {
		id := l.record().Run.ID
		holder := fmt.Sprintf("run %s of %s/main.star holds the lock %s/lock: process %d, since ", id, l.recipes, l.state.Dir(), os.Getpid())
		r := other.run(`box.put(DIR + "/b", "1")`).want(events.Locked, ExitLocked)
		r.wantError(holder, "hint: wait until it has finished")
		back := &result{t: t}
		back.Outcome = l.host.Rollback(t.Context(), "", l.options(back))
		back.want(events.Locked, ExitLocked).wantError(holder)
		warning := other.preview(`box.put(DIR + "/b", "1")`).want(events.WouldChange, ExitWouldChange).logs("warn")
		if want := fmt.Sprintf("run %s is under way, in process %d; this preview shows what is there now", id, os.Getpid()); warning != want {
			t.Errorf("the preview warns %q, want %q", warning, want)
		}
		return nil, nil
	})
	l.run("box.put(DIR + \"/a\", \"1\")\nbox.hook(\"meanwhile\")").want(events.Succeeded, ExitDone)
	l.wantTree("a=1\n")
	if runs, err := l.state.Runs(); err != nil || len(runs) != 1 {
		t.Errorf("there are %d runs, %v", len(runs), err)
	}
	l.run(`box.put(DIR + "/a", "2")`).want(events.Succeeded, ExitDone)
}

func TestLockIsHeldUntilRelease(t *testing.T) {
	s, err := OpenState(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		lock, err := s.Lock(Holder{PID: 7, Run: "x", Recipe: "r", Started: time.Now()})
		if err != nil {
			t.Fatal(err)
		}
		_, err = s.Lock(Holder{PID: 8})
		var locked *LockedError
		if !errors.As(err, &locked) || locked.Holder.PID != 7 || locked.Holder.Run != "x" {
			t.Fatalf("second lock: %v", err)
		}
		// The holder may be writing its name at this moment.
		if err := os.Truncate(filepath.Join(s.Dir(), "lock"), 3); err != nil {
			t.Fatal(err)
		}
		if _, err = s.Lock(Holder{PID: 8}); err == nil || err.Error() != "another run holds the lock "+filepath.Join(s.Dir(), "lock") {
			t.Fatalf("with an unreadable name: %v", err)
		}
		lock.Release()
		if h := s.holder(); h != (Holder{}) {
			t.Errorf("after the release it names %+v", h)
		}
	}
}

// interruptRun leaves a run as kill -9 does: begun, with one change made, and no outcome.
func (l *lab) interruptRun() string {
	l.t.Helper()
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	rec := l.record()
	dir := l.state.RunDir(rec.Run.ID)
	st := l.journal()
	if err := os.Remove(filepath.Join(dir, "journal")); err != nil {
		l.t.Fatal(err)
	}
	j, err := journal.Create(dir, st.Meta)
	if err == nil {
		e := st.Entries[0].Entry
		err = errors.Join(j.Intend(&e), j.Close(journal.Unfinished))
	}
	rec.Outcome, rec.Finished = nil, time.Time{}
	if err := errors.Join(err, l.state.writeRecord(rec)); err != nil {
		l.t.Fatal(err)
	}
	return rec.Run.ID
}

func TestInterruptedRunBlocksTheNext(t *testing.T) {
	l := newLab(t)
	id := l.interruptRun()
	r := l.run(`box.put(DIR + "/b", "1")`).want(events.Locked, ExitLocked)
	r.wantError("run "+id+" was interrupted and has not been rolled back", "hint: infrarun rollback "+id)
	wantLines(t, r.Next, "infrarun rollback "+id)

	p := l.preview(`box.put(DIR + "/b", "1")`).want(events.WouldChange, ExitWouldChange)
	if want := "run " + id + " was interrupted and has not been rolled back; this preview shows what is there now. " +
		"Put it back with `infrarun rollback " + id + "`"; p.logs("warn") != want {
		t.Errorf("the preview warns %q, want %q", p.logs("warn"), want)
	}
	if p.Events()[0].Kind != events.RunStarted {
		t.Error("the warning comes before the run is told")
	}

	l.rollback("2001").want(events.Locked, ExitLocked).wantError("run "+id+" was interrupted", "hint: infrarun rollback "+id)
	l.wantTree("a=1\n")
	l.rollback(id).want(events.Restored, ExitDone)
	l.wantTree("")
	rec := l.record()
	if rec.Outcome.Result != events.Interrupted || rec.Outcome.Error != "it was killed before it ended" || rec.Rollback.Result != events.Restored {
		t.Errorf("run.json says %+v, then %+v", rec.Outcome, rec.Rollback)
	}
	if l.preview(`box.put(DIR + "/b", "1")`).logs("warn") != "" {
		t.Error("the preview still warns")
	}
	l.run(`box.put(DIR + "/b", "1")`).want(events.Succeeded, ExitDone)
}

// An interruption puts everything back at whatever event it comes, and does nothing once the run is
// committed.
func TestInterruptionAtEveryEvent(t *testing.T) {
	t.Parallel()
	const body = `
def work():
    box.put(DIR + "/a", "new")
    print("between")
    parallel([(box.put, DIR + "/b%d" % i, "1") for i in range(3)])
    attempt(box.put, DIR + "/c", "1")
    box.do("d")

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    rollback.push(box.hook, "pushed")
    run.step("Work", work)
    run.check("ok", True)
`
	var kinds []events.Kind
	for n := 1; ; n++ {
		l := newLab(t)
		writeFile(t, l.path("a"), "old")
		l.box.hook("pushed", func(*Call) (starlark.Value, error) { return nil, nil })
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		left := n
		var at events.Kind
		r := l.execute(ctx, (*Recipe).Run, body, nil, interrupter(func(e events.Event) {
			if left--; left == 0 {
				at = e.Kind
				cancel(ErrInterrupted)
			}
		}))
		switch {
		case left > 0:
			r.want(events.Succeeded, ExitDone)
			if n < 15 {
				t.Errorf("only %d events: %v", n, kinds)
			}
			return
		case at == events.RunFinished:
			r.want(events.Succeeded, ExitDone)
		default:
			if r.Result != events.Interrupted || r.ExitCode != ExitInterrupted || !strings.Contains(r.Outcome.Error, "interrupted") {
				t.Fatalf("at event %d, %s: ended %s (exit %d): %s", n, at, r.Result, r.ExitCode, r.Outcome.Error)
			}
			l.wantTree("a=old\n")
			if out := l.journal().Outcome; out != journal.RolledBack && out != journal.Clean {
				t.Fatalf("at event %d, %s: the journal says %q", n, at, out)
			}
			l.run(`print("next")`).want(events.Succeeded, ExitDone)
		}
		kinds = append(kinds, at)
	}
}

// What a builtin says of its cancellation is told behind the reason.
func TestInterruptionInABuiltinsWords(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	l.box.hook("wait", func(c *Call) (starlark.Value, error) {
		cancel(ErrInterrupted)
		<-c.Context().Done()
		return nil, errors.New("signal: killed")
	})
	l.execute(ctx, (*Recipe).Run, `box.hook("wait")`, nil).want(events.Interrupted, ExitInterrupted).
		wantError("main.star:4:13: interrupted: box.hook: signal: killed")
}

func TestInterruptedPreview(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(ErrInterrupted)
	l.execute(ctx, (*Recipe).Preview, `box.put(DIR + "/a", "1")`, nil).want(events.Interrupted, ExitInterrupted)
	l.execute(ctx, (*Recipe).Run, `box.put(DIR + "/a", "1")`, nil).want(events.Interrupted, ExitInterrupted)
	l.wantTree("")
}

// An incomplete rollback after an interruption is incomplete.
func TestInterruptionAndIncompleteRollback(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	l.box.applying = func(context.Context, *Writer, string) error { cancel(ErrInterrupted); return nil }
	l.box.undoing = func(*Writer, string) error { return errors.New("busy") }
	l.execute(ctx, (*Recipe).Run, `box.put(DIR + "/a", "1")`, nil).want(events.Incomplete, ExitIncomplete).wantError("interrupted")
}
