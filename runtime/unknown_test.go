package runtime

import (
	"fmt"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// Every use of an unknown value stops a preview where it stands, and says what to write.
func TestUnknownStopsAPreview(t *testing.T) {
	t.Parallel()
	uses := []string{
		`u.stdout`,
		`getattr(u, "stdout")`,
		`getattr(u, "stdout", "")`,
		`hasattr(u, "stdout")`,
		`dir(u)`,
		`1 if u else 2`,
		`not u`,
		`u and 1`,
		`bool(u)`,
		`any([u])`,
		`str(u)`,
		`repr(u)`,
		`"%s" % u`,
		`"%s" % [u]`,
		`"{}".format(u)`,
		`print(u)`,
		`fail(u)`,
		`"a" + u`,
		`u + 1`,
		`-u`,
		`u == u`,
		`u < u`,
		`sorted([u, u])`,
		`min(u, u)`,
		`[x for x in u]`,
		`list(u)`,
		`len(u)`,
		`u[0]`,
		`u["a"]`,
		`u[1:2]`,
		`"a" in u`,
		`u in {"a": 1}`,
		`u in set(["a"])`,
		`{u: 1}`,
		`{}.get(u, 1)`,
		`",".join(u)`,
		`box.take(u)`,
		`box.take([u])`,
		`box.take([{"a": (u,)}])`,
		`box.take(struct(a = u))`,
		`box.take(str([u]))`,
		`rollback.push(box.take, u)`,
		`rollback.push(box.take, {"a": u})`,
	}
	around := map[string]string{
		"main":                "    use(u)\n",
		"attempt":             "    attempt(use, u)\n",
		"parallel":            "    parallel([(use, u)])\n",
		"attempt in parallel": "    parallel([lambda: attempt(use, u)])\n",
		"parallel in attempt": "    attempt(parallel, [(use, u)])\n",
		"step":                "    run.step(\"S\", use, args = [u])\n",
	}
	for how, calling := range around {
		t.Run(how, func(t *testing.T) {
			for _, use := range uses {
				l := newLab(t)
				r := l.preview(fmt.Sprintf("def use(u):\n    return %s\n\ndef main(ctx):\n    u = box.do(\"it\")\n%s    print(\"went on\")\n", use, calling))
				text := r.Outcome.Error
				if r.Result != events.Refused || r.ExitCode != ExitRefused {
					t.Errorf("%s: ended %s: %s", use, r.Result, text)
				}
				for _, part := range []string{"main.star:3:", "what box.do gives is not known in a preview", "    return " + use,
					"hint: write something else", "called from"} {
					if !strings.Contains(text, part) {
						t.Errorf("%s: the error lacks %q:\n%s", use, part, text)
					}
				}
				if !strings.Contains(r.Position, "main.star:3:") {
					t.Errorf("%s: position %q", use, r.Position)
				}
				if strings.Contains(r.logs("info"), "went on") {
					t.Errorf("%s: the preview went on", use)
				}
			}
		})
	}
}

// An unknown value that is only handed around stops nothing, also inside a struct.
func TestUnknownCanBeHandedAround(t *testing.T) {
	l := newLab(t)
	l.preview(`
def keep(u, box = None):
    return [u, {"a": u}, struct(b = u)]

def main(ctx):
    u = box.do("it")
    kept = keep(u)
    kept.append(attempt(keep, u).value)
    kept.append(parallel([(keep, u)]))
    kept.append(run.step("S", keep, args = [u]))
    type(u)
    if u == None or u == "x":
        fail("equal to something")
`).want(events.WouldChange, ExitWouldChange)
	l.run(`
def main(ctx):
    if box.do("it").stdout != "ok":
        fail("a run knows")
`).want(events.Succeeded, ExitDone)
}

// The place is known also for an unknown value that came inside another one.
func TestUnknownInsideAStruct(t *testing.T) {
	l := newLab(t)
	l.preview("def main(ctx):\n    v = box.unknown()\n    return v.inner.x\n").want(events.Refused, ExitRefused).
		wantError("main.star:4:", "return v.inner.x", "hint: write something else")
}

func TestUnboundUnknownHasNoPlace(t *testing.T) {
	defer func() {
		err, _ := recover().(error)
		if err == nil || err.Error() != "what box.do gives is not known in a preview" {
			t.Errorf("it panicked with %v", err)
		}
	}()
	_ = newGuess().Truth()
}

func TestPanicInABuiltinIsAnError(t *testing.T) {
	l := newLab(t)
	l.box.hook("panic", func(*Call) (starlark.Value, error) { panic("out of paper") })
	for _, body := range []string{
		`box.hook("panic")`,
		`parallel([lambda: box.hook("panic")])`,
		`run.step("S", box.hook, args = ["panic"])`,
	} {
		r := l.run(body).want(events.Refused, ExitRefused)
		r.wantError("main.star:4:", "box.hook: internal error: out of paper (this is a bug in infrarun)", body)
		wantParts(t, "debug log", r.logs("debug"), "out of paper", "unknown_test.go")
	}
	_, _, err := l.load("X = box.hook(\"panic\")\ndef main(ctx):\n    pass\n")
	if err == nil || !strings.Contains(err.Error(), "internal error: out of paper") {
		t.Errorf("while loading: %v", err)
	}
}
