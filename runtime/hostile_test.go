package runtime

import (
	"context"
	goruntime "runtime"
	"runtime/debug"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// A recipe that computes without end is stopped, and what it changed is put back.
func TestEndlessRecipe(t *testing.T) {
	setLimit(t, &mainSteps, 200_000)
	for name, loop := range map[string]string{
		"a loop":         "for i in range(1 << 60):\n    pass",
		"nested":         "for i in range(1 << 30):\n    for j in range(1 << 30):\n        pass",
		"in attempt":     "def spin():\n    for i in range(1 << 60):\n        pass\nattempt(spin)",
		"attempts":       "for i in range(1 << 60):\n    attempt(lambda: fail(\"x\"))",
		"in a step":      "run.step(\"S\", lambda: [x for x in range(1 << 60)])",
		"comprehensions": "x = [y for y in range(1 << 60)]",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			r := l.run("box.put(DIR + \"/a\", \"1\")\n"+loop).want(events.RolledBack, ExitRolledBack)
			r.wantError("main.star:", "the recipe used up its budget of 200000 steps", "hint: a loop goes on for longer than any deployment needs")
			l.wantTree("")
			l.preview(loop).want(events.Refused, ExitRefused).wantError("the recipe used up its budget")
		})
	}
}

func TestEndlessPermissions(t *testing.T) {
	setLimit(t, &loadSteps, 10_000)
	l := newLab(t)
	r, _, err := l.load("def PERMISSIONS(ctx):\n    return [x for x in range(1 << 60)]\n" + nothing)
	wantErr(t, r, err, "main.star:3:15: the recipe used up its budget of 10000 steps")
}

// An undo function without end ends in a rollback that is incomplete.
func TestEndlessUndo(t *testing.T) {
	setLimit(t, &mainSteps, 200_000)
	l := newLab(t)
	r := l.run(`
def spin():
    return [x for x in range(1 << 60)]

PERMISSIONS = {"box": [DIR]}

def main(ctx):
    box.put(DIR + "/a", "1")
    rollback.push(spin)
    fail("no")
`).want(events.Incomplete, ExitIncomplete)
	if len(r.Left) != 1 || !strings.HasSuffix(r.Left[0].Error, "main.star:4:15: the recipe used up its budget of 200000 steps") {
		t.Errorf("left %+v", r.Left)
	}
	l.wantTree("")
}

// Recipes whose memory grows are stopped before the machine suffers.
func TestGreedyRecipe(t *testing.T) {
	goruntime.GC()
	var before goruntime.MemStats
	goruntime.ReadMemStats(&before)
	setLimit(t, &maxHeap, before.HeapAlloc+64<<20)
	for name, body := range map[string]string{
		"text":        "s = \"x\" * 1024\nfor _ in range(1 << 30):\n    s += s[:1048576]",
		"list":        "l = []\nfor _ in range(1 << 30):\n    l.append([0] * 1000)",
		"in attempt":  "def grow():\n    l = []\n    for _ in range(1 << 30):\n        l.append([0] * 1000)\nfor _ in range(1 << 30):\n    attempt(grow)",
		"in parallel": "def grow():\n    l = []\n    for _ in range(1 << 30):\n        l.append([0] * 1000)\nparallel([grow, grow])",
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			r := l.run("box.put(DIR + \"/a\", \"1\")\n"+body).want(events.RolledBack, ExitRolledBack)
			r.wantError("main.star:", "the recipe uses ", " MiB of memory; the limit is ", "hint: a list or a text grows without end")
			l.wantTree("")
			goruntime.GC()
		})
	}
	t.Run("while loading", func(t *testing.T) {
		l := newLab(t)
		r, _, err := l.load("def grow():\n    l = []\n    for _ in range(1 << 30):\n        l.append([0] * 1000)\nX = grow()\n" + nothing)
		wantErr(t, r, err, "main.star:", "the recipe uses ", "MiB of memory")
		goruntime.GC()
	})
}

// What is not used any more is not held against a recipe, although it was not yet collected.
func TestGarbageIsNotMemory(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	goruntime.GC()
	setLimit(t, &maxHeap, heap()+32<<20)
	l := newLab(t)
	l.box.hook("litter", func(c *Call) (starlark.Value, error) {
		for heap() <= maxHeap {
			litter = make([]byte, 64<<10)
		}
		litter = nil
		for heap() > maxHeap && c.Context().Err() == nil { // until the watch has had it collected
			goruntime.Gosched()
		}
		return nil, context.Cause(c.Context())
	})
	l.run(`box.hook("litter")`).want(events.Succeeded, ExitDone)
}

var litter []byte

// The watch over the memory ends with what it watches.
func TestMemoryWatchEnds(t *testing.T) {
	l := newLab(t)
	l.run(`print("once")`).want(events.Succeeded, ExitDone)
	before := goruntime.NumGoroutine()
	for range 20 {
		l.run(`parallel([lambda: print("x"), lambda: print("y")])`).want(events.Succeeded, ExitDone)
	}
	if now := settled(before); now > before {
		t.Errorf("%d goroutines before, %d after", before, now)
	}
}

// settled waits until there are no more goroutines than that, or yields for long enough.
func settled(most int) int {
	for range 100_000 {
		if n := goruntime.NumGoroutine(); n <= most {
			return n
		}
		goruntime.Gosched()
	}
	return goruntime.NumGoroutine()
}

// What recurses in the interpreter must not overflow the stack, which nothing could recover.
func TestDeepData(t *testing.T) {
	l := newLab(t)
	const deep = "x = []\nfor i in range(200000):\n    x = [x]\n"
	for name, body := range map[string]string{
		"as an argument": deep + "box.take(x)",
		"in parallel":    deep + "parallel([(box.take, x)])",
		"in attempt":     deep + "attempt(box.take, x)",
	} {
		t.Run(name, func(t *testing.T) { l.run(body).want(events.Succeeded, ExitDone) })
	}
	r, _, err := l.load("def deep():\n    x = []\n    for i in range(200000):\n        x = [x]\n    return x\nX = deep()\n" + nothing)
	if err != nil {
		wantErr(t, r, err, "")
		t.Error("it was not loaded")
	}
}

func TestRecursionIsRefused(t *testing.T) {
	l := newLab(t)
	l.run("def f(n):\n    return f(n + 1)\n\ndef main(ctx):\n    f(0)\n").want(events.Refused, ExitRefused).
		wantError("function f called recursively")
	l.run("def f():\n    attempt(f)\n    parallel([f])\n\ndef main(ctx):\n    f()\n").want(events.Refused, ExitRefused).
		wantError("parallel: it is called within itself more than 16 times")
	setLimit(t, &mainSteps, 50_000)
	l.run("def f():\n    attempt(parallel, [f, f, f, f, f])\n\ndef main(ctx):\n    f()\n").want(events.Refused, ExitRefused).
		wantError("the recipe used up its budget")
}
