package runtime

import (
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// A finding is shown without its place in the recipe, through steps and branches too. The log keeps it.
func TestFindingEndsARun(t *testing.T) {
	for name, call := range map[string]string{
		"in main":     `dry()`,
		"in a step":   `run.step("Pump", dry)`,
		"in parallel": `parallel([dry])`,
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			r := l.run(`
PERMISSIONS = {"box": [DIR]}
def dry():
    run.fail("the pump is dry:\nno water", hint = "prime it")
def main(ctx):
    box.put(DIR + "/a", "1")
    `+call+"\n").want(events.RolledBack, ExitRolledBack)
			if want := "the pump is dry:\n  no water\n  hint: prime it"; r.Outcome.Error != want {
				t.Errorf("the error is\n%s\nwant\n%s", r.Outcome.Error, want)
			}
			wantParts(t, "position", r.Outcome.Position, "main.star:5:")
			wantParts(t, "trace", r.Outcome.Trace, "main.star:5:", "run.fail(", "main.star:8:", "called from", "hint: prime it")
			wantParts(t, "log", readFile(t, filepath.Join(l.state.RunDir(l.record().Run.ID), "deploy.log")), "trace: ", "main.star:8:")
			l.wantTree("")
		})
	}
}

func TestFindingIsCaught(t *testing.T) {
	r := newLab(t).run(`
caught = attempt(run.fail, "the pump is dry", hint = "prime it")
print(caught.ok, caught.error)
`).want(events.Succeeded, ExitDone)
	wantParts(t, "log", r.logs("info"), "False the pump is dry")
}

func TestFindingSaysSomething(t *testing.T) {
	r := newLab(t).run(`run.fail(" ")`).want(events.Refused, ExitRefused)
	r.wantError("main.star:", "run.fail: message is empty")
}
