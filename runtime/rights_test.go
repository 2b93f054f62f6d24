package runtime

import (
	"context"
	"errors"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestRequire(t *testing.T) {
	preview := &Writer{task: &task{run: &Run{mode: events.ModePreview}}}
	for name, w := range map[string]*Writer{"nil": nil, "zero": {}, "of a preview": preview} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("Require accepted it")
				}
			}()
			w.Require()
		})
	}
	(&Writer{task: &task{run: &Run{mode: events.ModeRun}}}).Require()
}

// Output, progress and warnings of a change belong to the step that is running.
func TestWriterTellsTheStep(t *testing.T) {
	l := newLab(t)
	l.box.applying = func(_ context.Context, w *Writer, _ string) error {
		w.Output("stdout", "line")
		w.Warn("careful with %s", "it")
		w.Progress(events.Bar{What: "copy", Current: 1, Total: 2})
		return nil
	}
	r := l.run(`run.step("Copy", lambda: box.do("x"))`).want(events.Succeeded, ExitDone)
	for _, e := range r.Events(events.Output, events.Log, events.Progress) {
		if e.Step == nil || e.Step.Title != "Copy" {
			t.Errorf("%s is told without its step", e.Kind)
		}
	}
	if out := r.Events(events.Output); len(out) != 1 || out[0].Text != "line" || out[0].Source != "x" {
		t.Errorf("output %+v", out)
	}
}

// A path that an undo record names is nobody else's, also while nothing is there: a process that was killed has
// moved nothing there, and what a rollback in another process puts there must not pass for it.
func TestTrashPathsAreGivenOnce(t *testing.T) {
	l := newLab(t)
	given := map[string]bool{}
	reserve := func(reserve func() (string, error)) error {
		path, err := reserve()
		if given[path] {
			t.Errorf("%s was given twice", path)
		}
		given[path] = true
		return err
	}
	l.box.applying = func(_ context.Context, w *Writer, _ string) error {
		return errors.Join(reserve(w.Discard), reserve((&Keeper{w.task}).TrashPath))
	}
	l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
	l.box.undoing = func(w *Writer, _ string) error { return reserve(w.Discard) }
	l.rollback("").want(events.Restored, ExitDone)
	if len(given) != 3 {
		t.Errorf("%d paths were given, want 3", len(given))
	}
}
