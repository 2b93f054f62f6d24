package runtime

import (
	"context"
	"errors"
	"fmt"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestParallelValuesAreInOrder(t *testing.T) {
	l := newLab(t)
	l.run(`
def square(x, y = 0):
    return x * x

def main(ctx):
    if parallel([(square, i) for i in range(20)]) != [i * i for i in range(20)]:
        fail("order")
    if parallel([]) != [] or parallel([lambda: 1], limit = 1) != [1]:
        fail("values")
    both = parallel([lambda: parallel([(square, i) for i in range(3)]), lambda: [7]])
    if both != [[0, 1, 4], [7]]:
        fail("nested: %s" % both)
    both[1].append(8)
`).want(events.Succeeded, ExitDone)
}

func TestParallelArguments(t *testing.T) {
	l := newLab(t)
	for body, want := range map[string]string{
		`parallel([1])`:                           "parallel: fns[0] is int, want a function or a tuple that begins with one",
		`parallel([lambda: 1, ()])`:               "parallel: fns[1] is tuple, want",
		`parallel([lambda: 1], limit = -1)`:       "parallel: limit is -1, want at least 0",
		`parallel(lambda: 1)`:                     "parallel: for parameter fns: got function, want list",
		"l = []\nparallel([(l.append, 1)])":       "cannot append to frozen list",
		"l = []\nparallel([lambda: l])\nl += [1]": "cannot apply += to frozen list",
	} {
		for _, how := range []execution{(*Recipe).Preview, (*Recipe).Run} {
			l.execute(t.Context(), how, body, nil).want(events.Refused, ExitRefused).wantError(want)
		}
	}
}

// The branches before the one that fails go on until they see that they are cancelled; what is
// reported is the failure that came first, with the calls that led to it from main on.
func TestParallelFirstFailureCancelsTheRest(t *testing.T) {
	for name, waiting := range map[string]string{
		"in a builtin": `box.hook("wait")`,
		"in pure code": `[box.hook("started")] + [x for x in range(1000000000)]`,
		"in attempt":   `attempt(box.hook, "wait")`,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			var cancelled atomic.Bool
			started := make(chan struct{})
			l.box.hook("started", func(*Call) (starlark.Value, error) { close(started); return nil, nil })
			l.box.hook("wait", func(c *Call) (starlark.Value, error) {
				close(started)
				<-c.Context().Done()
				cancelled.Store(errors.Is(context.Cause(c.Context()), errBranch))
				return nil, errors.New("cut off")
			})
			l.box.hook("fail", func(c *Call) (starlark.Value, error) {
				<-started
				return nil, errors.New("first failure")
			})
			r := l.run("def wait():\n    "+waiting+"\n\ndef bad():\n    box.hook(\"fail\")\n\n"+
				"def main(ctx):\n    parallel([wait, bad, wait], limit = 2)\n").want(events.Refused, ExitRefused)
			r.wantError("main.star:6:13: box.hook: first failure", "called from", "main.star:9:13 in main")
			if strings.Contains(waiting, `"wait"`) && !cancelled.Load() {
				t.Error("the branch beside it was not cancelled")
			}
		})
	}
}

// Of two that fail by themselves at the same time, the first in the recipe's order is reported.
func TestParallelReportsTheFirstInOrder(t *testing.T) {
	l := newLab(t)
	var both sync.WaitGroup
	both.Add(2)
	l.box.hook("first", func(*Call) (starlark.Value, error) { both.Done(); both.Wait(); return nil, errors.New("one") })
	l.box.hook("second", func(*Call) (starlark.Value, error) { both.Done(); both.Wait(); return nil, errors.New("two") })
	r := l.run(`parallel([(box.hook, "first"), (box.hook, "second")], limit = 2)`).want(events.Refused, ExitRefused)
	if !strings.Contains(r.Outcome.Error, "box.hook: one") && !strings.Contains(r.Outcome.Error, "box.hook: two") {
		t.Errorf("error: %s", r.Outcome.Error)
	}
	branches := []branch{{value: starlark.None}, {err: errors.New("one")}, {err: errors.New("two")}}
	if _, err := collect(branches); err == nil || err.Error() != "one" {
		t.Errorf("collect: %v", err)
	}
	branches[1].aside = true
	if _, err := collect(branches); err == nil || err.Error() != "two" {
		t.Errorf("collect with a branch that was cancelled: %v", err)
	}
}

func TestParallelLimit(t *testing.T) {
	l := newLab(t)
	var now, most, came atomic.Int32
	l.box.hook("count", func(*Call) (starlark.Value, error) {
		n := now.Add(1)
		defer now.Add(-1)
		for {
			old := most.Load()
			if n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		for came.Add(1); came.Load() < 3; { // three must be here at once before one goes on
			goruntime.Gosched()
		}
		return nil, nil
	})
	l.run(`parallel([(box.hook, "count") for _ in range(9)], limit = 3)`).want(events.Succeeded, ExitDone)
	if most.Load() != 3 {
		t.Errorf("%d ran at once, want 3", most.Load())
	}
}

// A preview runs the functions one after the other, in order: what one predicts the next one sees.
func TestParallelPreview(t *testing.T) {
	l := newLab(t)
	var running atomic.Int32
	l.box.hook("alone", func(*Call) (starlark.Value, error) {
		if running.Add(1) != 1 {
			t.Error("two run at once")
		}
		for range 100 {
			goruntime.Gosched()
		}
		running.Add(-1)
		return nil, nil
	})
	r := l.preview(`
def one(i):
    box.hook("alone")
    box.put(DIR + "/a", box.get(DIR + "/a") + str(i))

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    parallel([(one, i) for i in range(9)], limit = 9)
    print(box.get(DIR + "/a"))
`).want(events.WouldChange, ExitWouldChange)
	if got := r.logs("info"); got != "012345678" {
		t.Errorf("the predictions add up to %q", got)
	}
}

// A run tells its changes in the order of the preview, whichever branch is quicker; steps, checks and
// logs keep their order, too.
func TestParallelTellsInOrder(t *testing.T) {
	l := newLab(t)
	const n = 6
	body := `
def one(i):
    box.put(DIR + "/%d-a" % i, "1")
    print("between %d" % i)
    run.step("Step %d" % i, box.put, args = [DIR + "/%d-b" % i, "1"])
    if i % 2 == 0:
        parallel([(box.put, DIR + "/%d-%s" % (i, c), "1") for c in ["c", "d", "e"]])
    run.check("check %d" % i, True)

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    parallel([(one, i) for i in range(6)], limit = 6)
    box.put(DIR + "/last", "1")
`
	// The later a branch, the sooner it writes: each waits for the one behind it.
	var order []int
	var wrote [n + 1]chan struct{}
	for i := range wrote {
		wrote[i] = make(chan struct{})
	}
	close(wrote[n])
	l.box.applying = func(_ context.Context, _ *Writer, target string) error {
		var i int
		if k, _ := fmt.Sscanf(target[len(l.dir)+1:], "%d-a", &i); k == 1 && strings.HasSuffix(target, "-a") {
			<-wrote[i+1]
			order = append(order, i)
			close(wrote[i])
		}
		return nil
	}
	want := tellings(l.preview(body).want(events.WouldChange, ExitWouldChange))
	r := l.run(body).want(events.Succeeded, ExitDone)
	got := tellings(r)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("the run told\n%s\nthe preview\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if !slices.Equal(order, []int{5, 4, 3, 2, 1, 0}) {
		t.Errorf("the changes were made in the order %v: this test tests nothing", order)
	}
}

func tellings(r *result) []string {
	var lines []string
	for _, e := range r.Events(events.ChangeFinished, events.StepStarted, events.StepFinished, events.Checked, events.Log) {
		line := string(e.Kind) + " " + e.Text
		if e.Change != nil {
			line += e.Change.Target
		}
		if e.Check != nil {
			line += e.Check.Name
		}
		if e.Step != nil {
			line += " in " + e.Step.Name
		}
		lines = append(lines, line)
	}
	return lines
}

// What a recipe may compute is not more for being computed side by side.
func TestParallelSharesTheBudget(t *testing.T) {
	setLimit(t, &mainSteps, 200_000)
	for name, body := range map[string]string{
		"one branch":     `parallel([lambda: [x for x in range(1000000000)]])`,
		"caught inside":  `parallel([lambda: attempt(lambda: [x for x in range(1000000000)])])`,
		"caught outside": `attempt(parallel, [lambda: [x for x in range(1000000000)]])`,
		"many calls":     "for _ in range(1000000):\n    parallel([lambda: [x for x in range(10000)]])",
		"side by side":   `parallel([lambda: [x for x in range(20000)]] * 1000)`,
		"nested":         "for _ in range(1000000):\n    parallel([lambda: parallel([lambda: [x for x in range(10000)]])])",
	} {
		t.Run(name, func(t *testing.T) {
			newLab(t).run(body).want(events.Refused, ExitRefused).
				wantError("main.star:", "the recipe used up its budget of", "hint: a loop goes on for longer")
		})
	}
}

func setLimit[T any](t testing.TB, limit *T, to T) {
	t.Helper()
	old := *limit
	*limit = to
	t.Cleanup(func() { *limit = old })
}
