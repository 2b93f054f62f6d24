package exec

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// build is a command that creates a directory and a file in another one.
const build = `
exec.run(["sh", "-c", "mkdir -p build/out/deep; echo x >build/out/deep/file; echo y >build/log"], cwd = DIR,
    creates = [DIR + "/build/out/", DIR + "/build/log"])
`

func TestCreatesIsUndone(t *testing.T) {
	f := fixture(t)
	f.UndoTwice(build)
	if n := f.BreakEverywhere(build); n != 2 {
		t.Errorf("it was broken at %d places, want 2", n)
	}
}

func TestCreatesIsDoneOnce(t *testing.T) {
	f := fixture(t)
	f.Run(build).Want(events.Succeeded)
	r := f.Run(build).Want(events.Succeeded)
	if got := r.Summaries(); len(got) != 1 || got[0] != "unchanged exec.run: what it creates is there" {
		t.Errorf("the second time = %q", got)
	}
	f.Run(`exec.run(["true"], creates = [DIR + "/build/out"])`).Want(events.Refused).WantError("is there as a directory")
	f.Run(`exec.run(["true"], creates = [DIR + "/build/log/"])`).Want(events.Refused).WantError("is there as a file")
}

// Of what is there only in part the rest is made, and that alone is undone.
func TestCreatesWhatIsMissing(t *testing.T) {
	f := fixture(t)
	if err := os.MkdirAll(f.Dir+"/build/out/deep", 0o755); err != nil {
		t.Fatal(err)
	}
	f.Run(build).Want(events.Succeeded)
	if _, err := os.Stat(f.Dir + "/build/log"); err != nil {
		t.Fatal(err)
	}
	f.Rollback().Want(events.Restored)
	if _, err := os.Stat(f.Dir + "/build/out/deep/file"); err != nil {
		t.Errorf("below what was there before something is gone: %v", err)
	}
	if _, err := os.Stat(f.Dir + "/build/log"); err == nil {
		t.Error("what was made is still there")
	}
}

// A command that fails may have had half of its effect.
func TestFailedCommandIsUndone(t *testing.T) {
	f := fixture(t)
	before := familytest.Tree(t, f.Dir)
	f.Run(`exec.run(["sh", "-c", "mkdir half; exit 1"], cwd = DIR, creates = [DIR + "/half/", DIR + "/whole"])`).Want(events.RolledBack)
	familytest.SameTree(t, "after creates", familytest.Tree(t, f.Dir), before)
	f.Run(`exec.run(["sh", "-c", "touch half; exit 1"], cwd = DIR, undo = ["rm", "-f", "half"])`).Want(events.RolledBack)
	familytest.SameTree(t, "after undo", familytest.Tree(t, f.Dir), before)
	f.Run(`attempt(exec.run, ["sh", "-c", "exit 1"], cwd = DIR, undo = ["sh", "-c", "echo $WHO >undone"], env = {"WHO": "me"})
fail("later")`).Want(events.RolledBack)
	if text, err := os.ReadFile(f.Dir + "/undone"); err != nil || string(text) != "me\n" {
		t.Errorf("the undo of a failed command that was passed over left %q, %v", text, err)
	}
}

func TestUndoCommand(t *testing.T) {
	fixture(t).UndoTwice(`exec.run(["touch", "made"], cwd = DIR, undo = ["rm", "-f", "made"])`)
}

func TestUndoCommandThatFails(t *testing.T) {
	f := fixture(t)
	f.Run(`exec.run(["touch", "made"], cwd = DIR, undo = ["false"])`).Want(events.Succeeded)
	r := f.Rollback().Want(events.Incomplete)
	if len(r.Outcome.Left) != 1 || !strings.Contains(r.Outcome.Left[0].Error, "exit status 1") {
		t.Errorf("left = %+v", r.Outcome.Left)
	}
}

// secretFamily makes a value a secret.
func secretFamily() *runtime.Family {
	type args struct {
		Value string `arg:"value" doc:"the secret"`
	}
	return &runtime.Family{Name: "hidden", Doc: "Secrets.", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "hidden.add", Doc: "Hides."}, func(c *runtime.Call, a args) (starlark.Value, error) {
			return nil, c.AddSecret(a.Value)
		}),
	}}
}

func TestSecretsStayOutOfTheJournal(t *testing.T) {
	f := familytest.New(t, Family(), secretFamily()).Grant("exec", "sh", "true", "false")
	const secret = "correct-horse-battery"
	f.Run(`
hidden.add("` + secret + `")
exec.run(["true"], env = {"TOKEN": "` + secret + `"}, undo = ["true"])
`).Want(events.Refused).WantError("must not stand in the journal")
	r := f.Run(`
hidden.add("` + secret + `")
exec.run(["sh", "-c", "echo $TOKEN; echo $TOKEN >&2; exit 1"], env = {"TOKEN": "` + secret + `"})
`).Want(events.RolledBack)
	for _, e := range r.Events() {
		if text := fmt.Sprintf("%+v", e); strings.Contains(text, secret) {
			t.Errorf("the secret is in %s", text)
		}
	}
	if strings.Contains(r.Outcome.Error, secret) {
		t.Errorf("the secret is in the error: %s", r.Outcome.Error)
	}
}

// cancelOn cancels a run when a command prints.
type cancelOn struct {
	cancel context.CancelCauseFunc
}

func (c *cancelOn) Handle(e events.Event) {
	if e.Kind == events.Output {
		c.cancel(runtime.ErrInterrupted)
	}
}

func (c *cancelOn) Close() error { return nil }

func TestInterruptedCommandIsEndedAndUndone(t *testing.T) {
	f := fixture(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	mark := "INFRARUN_TEST_MARK=" + f.Dir
	r := f.RunContext(ctx, `exec.run(["sh", "-c", "touch half; sleep 600 & echo ready; wait"], cwd = DIR, env = {"INFRARUN_TEST_MARK": DIR},
    creates = [DIR + "/half"])`, &cancelOn{cancel})
	r.Want(events.Interrupted)
	if left := proc.WithEnv(mark); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	if entries, err := os.ReadDir(f.Dir); err != nil || len(entries) > 0 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}
