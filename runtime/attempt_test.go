package runtime

import (
	"context"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestAttempt(t *testing.T) {
	l := newLab(t)
	l.run(`
def add(a, b = 1):
    return a + b

def deep():
    fail("deep down")

def main(ctx):
    r = attempt(add, 1, b = 2)
    if not r.ok or r.value != 3 or r.error != "":
        fail("%s" % r)
    r = attempt(deep)
    if r.ok or r.value != None or r.error != "fail: deep down":
        fail("%s" % r)
    r = attempt(box.hook, "no such")
    if r.error != "box.hook: the test has no hook no such":
        fail("%s" % r)
    r = attempt(lambda: 1 // 0)
    if r.ok:
        fail("%s" % r)
    r = attempt(parallel, [deep])
    if r.error != "fail: deep down":
        fail("%s" % r)
`).want(events.Succeeded, ExitDone)
}

func TestAttemptFails(t *testing.T) {
	l := newLab(t)
	l.run(`attempt("x")`).want(events.Refused, ExitRefused).wantError("attempt: for parameter fn: got string, want callable")
	l.run(`attempt()`).want(events.Refused, ExitRefused).wantError("attempt: missing argument for fn")
}

// A step that failed inside attempt is not the one that ended the run.
func TestFailedStep(t *testing.T) {
	l := newLab(t)
	body := `
def bad():
    fail("bad")

def inner():
    run.step("Inner", bad)

def main(ctx):
    r = attempt(run.step, "Tried", bad)
    if r.error != "fail: bad":
        fail(r.error)
    run.step("Good", lambda: None)
    run.step("Outer", inner, name = "outer", index = 2, total = 3)
`
	for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
		r := l.execute(t.Context(), how, body, nil).want(events.Refused, ExitRefused)
		r.wantError("main.star:4:9: fail: bad", "called from", "in inner", "in main")
		if r.Step != "Inner" {
			t.Errorf("the step that failed is %q, want Inner", r.Step)
		}
		var ended []string
		for _, e := range r.Events(events.StepFinished) {
			ended = append(ended, e.Step.Title+": "+e.Error)
		}
		wantLines(t, ended, "Tried: fail: bad", "Good: ", "Inner: fail: bad", "Outer: fail: bad")
	}
}

func wantLines(t testing.TB, got []string, want ...string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %q, want %q", got, want)
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

// An unknown value that is used in a step ends that step, too.
func TestUnknownEndsItsStep(t *testing.T) {
	l := newLab(t)
	r := l.preview(`run.step("Look", lambda: box.do("x").stdout)`).want(events.Refused, ExitRefused)
	if r.Step != "Look" || len(r.Events(events.StepFinished)) != 1 {
		t.Errorf("step %q, %d ended", r.Step, len(r.Events(events.StepFinished)))
	}
}

// Nothing that a recipe attempts keeps a run from being stopped.
func TestAttemptDoesNotSwallowCancellation(t *testing.T) {
	for name, body := range map[string]string{
		"in a builtin":   "attempt(box.hook, \"stop\")\nprint(\"went on\")",
		"in a loop":      "box.hook(\"cancel\")\nfor i in range(1000000000):\n    attempt(lambda: None)",
		"in parallel":    "attempt(parallel, [(attempt, box.hook, \"stop\")])\nprint(\"went on\")",
		"in pure code":   "box.hook(\"cancel\")\nattempt(lambda: [x for x in range(1000000000)])\nprint(\"went on\")",
		"after the last": "box.hook(\"cancel\")",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			l.box.hook("cancel", func(*Call) (starlark.Value, error) {
				cancel(ErrInterrupted)
				return nil, nil
			})
			l.box.hook("stop", func(c *Call) (starlark.Value, error) {
				cancel(ErrInterrupted)
				<-c.Context().Done()
				return nil, context.Cause(c.Context())
			})
			r := l.execute(ctx, (*Recipe).Run, body, nil)
			r.want(events.Interrupted, ExitInterrupted).wantError("interrupted")
			if r.logs("info") != "" {
				t.Error("the recipe went on")
			}
		})
	}
}
