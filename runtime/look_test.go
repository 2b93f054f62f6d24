package runtime

import (
	"context"
	"os"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// looking is a recipe that only looks, with what stands in main.
func looking(body string) string {
	return "LOOKS = True\nPERMISSIONS = {\"box\": [DIR]}\ndef main(ctx):\n    " + body + "\n"
}

// A look is the same with --dry-run, and leaves no trace: it needs no lock, and no run is there afterwards.
func TestLook(t *testing.T) {
	for name, how := range map[string]execution{"run": (*Recipe).Run, "preview": (*Recipe).Preview} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			writeFile(t, l.path("a"), "1")
			l.box.hook("look", func(c *Call) (starlark.Value, error) {
				if c.Preview() || c.Reader().Preview() {
					t.Error("it is taken for a preview")
				}
				return nil, nil
			})
			r := l.execute(t.Context(), how, looking(`print(box.get(DIR + "/a"), run.assume("x"), ctx.run_id, box.hook("look"))`), nil)
			r.want(events.Succeeded, ExitDone)
			wantParts(t, "log", r.logs("info"), "1 False look None")
			started := r.Events(events.RunStarted)
			if r.Outcome.Mode != events.ModeLook || len(started) != 1 || started[0].Run.Mode != events.ModeLook || started[0].Run.ID != "" {
				t.Errorf("it is told as %+v, then %+v", started, r.Outcome)
			}
			if _, err := os.Stat(l.state.Dir()); err == nil {
				t.Error("it made a state directory")
			}
		})
	}
}

// A look goes on beside a run, and when one has been interrupted.
func TestLookBesideARun(t *testing.T) {
	l := newLab(t)
	id := l.interruptRun()
	l.run(looking("pass")).want(events.Succeeded, ExitDone)
	lock, err := l.state.Lock(Holder{})
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Release()
	l.run(looking("pass")).want(events.Succeeded, ExitDone)
	if now := l.record().Run.ID; now != id {
		t.Errorf("the newest run is %s, want %s", now, id)
	}
}

// In a look the door is shut, also for what is as wanted already, and no attempt hides that.
func TestLookChangesNothing(t *testing.T) {
	for name, call := range map[string]string{
		"box.put":       `box.put(DIR + "/a", "1")`,
		"box.do":        `attempt(box.do, "x")`,
		"rollback.push": `rollback.push(box.do, "x")`,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			writeFile(t, l.path("a"), "1")
			l.run(looking(call)).want(events.Refused, ExitRefused).wantError(
				"main.star:5:", name+": the recipe declared in LOOKS that it only looks", "hint: take this call out")
			if l.wantTree("a=1\n"); len(l.box.calls) > 0 {
				t.Errorf("it came as far as %v", l.box.calls)
			}
		})
	}
}

func TestWriterOfALook(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a look's writer is worth something")
		}
	}()
	(&Writer{task: &task{run: &Run{mode: events.ModeLook}}}).Require()
}

func TestInterruptedLook(t *testing.T) {
	l := newLab(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	l.box.hook("stop", func(*Call) (starlark.Value, error) { cancel(ErrInterrupted); return nil, nil })
	r := l.execute(ctx, (*Recipe).Run, looking(`box.hook("stop")`), nil).want(events.Interrupted, ExitInterrupted)
	if r.Outcome.Error != "" || len(r.Events(events.RollbackStarted)) > 0 {
		t.Errorf("it ends with %+v", r.Outcome)
	}
}

func TestDeniedLook(t *testing.T) {
	newLab(t).run(looking(`box.get("/elsewhere")`)).want(events.DeniedRun, ExitDenied)
}

// LOOKS may be a function of ctx, as pure as PERMISSIONS.
func TestWhenItLooks(t *testing.T) {
	l := newLab(t)
	body := `
PARAMS = {"change": param.bool(default = False)}
PERMISSIONS = {"box": [DIR]}
def LOOKS(ctx):
    return not ctx.params.change
def main(ctx):
    if ctx.params.change:
        box.put(DIR + "/a", "1")
`
	if r := l.run(body).want(events.Succeeded, ExitDone); r.Outcome.Mode != events.ModeLook {
		t.Error("it is a run without --change")
	}
	l.preview(body, "--change").want(events.WouldChange, ExitWouldChange)
	l.run(body, "--change").want(events.Succeeded, ExitDone)
	l.wantTree("a=1\n")
	for looks, want := range map[string]string{
		"LOOKS = False\n":                             "",
		"LOOKS = 1\n":                                 "main.star: LOOKS is int, want a bool or a function of ctx that returns one",
		"def LOOKS(ctx):\n    return \"yes\"\n":       "main.star: LOOKS returned string, want a bool",
		"def LOOKS(ctx):\n    return box.get(\"\")\n": "main.star:3:19: box.get: cannot be called while a recipe is loaded",
	} {
		r, _, err := l.load(looks + nothing)
		if want == "" && (err != nil || r.Looks()) {
			t.Errorf("%s: %v, looks: %v", looks, err, r.Looks())
		} else if want != "" {
			wantErr(t, r, err, want)
		}
	}
}
