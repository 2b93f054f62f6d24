package exec

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func fixture(t *testing.T) *familytest.Fixture {
	t.Helper()
	return familytest.New(t, Family()).Grant("exec", "sh", "cat", "pwd", "env", "touch", "rm", "mkdir", "true", "false", "sleep", "no-such-*")
}

func TestRunGivesTheResult(t *testing.T) {
	f := fixture(t)
	f.Run(`
r = exec.run(["sh", "-c", "cat; echo $A >&2; pwd"], stdin = "in\n", env = {"A": "b c"}, cwd = DIR)
test.equal(r.ok, True)
test.equal(r.code, 0)
test.equal(r.stdout, "in\n" + DIR + "\n")
test.equal(r.stderr, "b c\n")
test.equal(r.command, "sh -c 'cat; echo $A >&2; pwd'")
r = exec.run(["sh", "-c", "exit 3"], check = False)
test.equal((r.ok, r.code), (False, 3))
`).Want(events.Succeeded)
}

func TestOutputIsShownAsItComes(t *testing.T) {
	f := fixture(t)
	r := f.Run(`exec.run(["sh", "-c", "echo one; echo two >&2"], title = "count")`).Want(events.Succeeded)
	got := map[string]string{}
	for _, e := range r.Events() {
		if e.Kind == events.Output {
			got[e.Stream] = e.Source + ": " + e.Text
		}
	}
	if got["stdout"] != "count: one" || got["stderr"] != "count: two" {
		t.Errorf("output = %q", got)
	}
}

func TestFailure(t *testing.T) {
	f := fixture(t)
	for body, want := range map[string]string{
		`exec.run(["sh", "-c", "echo why >&2; exit 2"])`:                             "exec.run: sh -c 'echo why >&2; exit 2': exit status 2: why",
		`exec.run(["false"], title = "be wrong")`:                                    "exec.run: be wrong: exit status 1, without a word",
		`exec.run(["false"], title = "be wrong", read_only = True)`:                  "exec.run: be wrong: exit status 1, without a word",
		`exec.run(["sh", "-c", "echo on; sleep 600"], timeout = 0.1, check = False)`: "not done after 100ms",
		`exec.run(["no-such-command"])`:                                              `there is no command "no-such-command" in PATH`,
		`exec.run(["no-such-command"], read_only = True)`:                            `there is no command "no-such-command" in PATH`,
		`exec.run([])`:                                        "argv is empty",
		`exec.run("ls -l")`:                                   "want a list of strings",
		`exec.run(["true", "a\0b"])`:                          "argv[1] holds a NUL byte",
		`exec.run(["true"], undo = [])`:                       "undo: there is no command",
		`exec.run(["true"], creates = [""])`:                  "creates: a path is empty",
		`exec.run(["true"], read_only = True, undo = ["rm"])`: "declared read_only",
		`exec.run(["true"], preview = struct(a = 1))`:         `"preview": got struct, want exec.result(…)`,
		`exec.run(["true"], preview = "out")`:                 `"preview": got string, want exec.result(…)`,
		`exec.run(["true"], cwd = DIR + "/none")`:             "working directory " + f.Dir + "/none does not exist",
		`exec.run(["true"], creates = [DIR + "/none"])`:       "ended well but did not create " + f.Dir + "/none",
		`exec.run(["true"], user = "nobody-is-called-so")`:    `no user "nobody-is-called-so"`,
		`exec.result(code = 256)`:                             "code 256 is no exit status",
		`exec.which("")`:                                      "the name is empty",
	} {
		r := f.Run(body)
		if r.Outcome.Result != events.Refused && r.Outcome.Result != events.RolledBack {
			t.Errorf("%s: the run ended %s", body, r.Outcome.Result)
		}
		if !strings.Contains(r.Outcome.Error, want) {
			t.Errorf("%s: the error lacks %q:\n%s", body, want, r.Outcome.Error)
		}
	}
}

func TestPermission(t *testing.T) {
	f := fixture(t)
	for _, body := range []string{
		`exec.run(["ls"])`,
		`exec.run(["ls"], read_only = True)`,
		`exec.run(["./sh"], cwd = DIR)`,
		`exec.run(["true"], undo = ["ls"])`,
		`exec.run(["true"], creates = ["/elsewhere"])`,
	} {
		if r := f.Run(body); r.Outcome.Result != events.DeniedRun {
			t.Errorf("%s: the run ended %s: %s", body, r.Outcome.Result, r.Outcome.Error)
		}
		if r := f.Preview(body); r.Outcome.Result != events.DeniedRun {
			t.Errorf("%s: the preview ended %s: %s", body, r.Outcome.Result, r.Outcome.Error)
		}
	}
	f.Run(`exec.run(["` + lookup(t, "true") + `"])`).Want(events.Succeeded)
}

func lookup(t *testing.T, name string) string {
	t.Helper()
	for _, dir := range []string{"/usr/bin", "/bin"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return filepath.Join(dir, name)
		}
	}
	t.Skipf("%s is not where it mostly is", name)
	return ""
}

func TestPreviewRunsNothing(t *testing.T) {
	f := fixture(t)
	r := f.Preview(`
exec.run(["touch", DIR + "/a"], creates = [DIR + "/a"])
r = exec.run(["touch", DIR + "/b"], preview = exec.result(stdout = "made", code = 0))
test.equal(r.stdout, "made")
r = exec.run(["false"], check = False, preview = exec.result(code = 1))
test.equal(r.ok, False)
exec.run(["touch", DIR + "/a"], creates = [DIR + "/a"])
exec.run(["no-such-command"])
`).Want(events.WouldChange)
	if entries, err := os.ReadDir(f.Dir); err != nil || len(entries) > 0 {
		t.Errorf("a preview made %v, %v", entries, err)
	}
	var got []string
	for _, c := range r.Changes() {
		got = append(got, string(c.Status)+" "+c.Undo+" "+c.Assumed)
	}
	want := []string{
		"would compensating ",
		"would none touch " + f.Dir + "/b ends with exit status 0",
		"would none false ends with exit status 1",
		"unchanged compensating ",
	}
	if len(got) != 5 || fmt.Sprint(got[:4]) != fmt.Sprint(want) || !strings.Contains(got[4], "no-such-command can run by then") {
		t.Errorf("changes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestPreviewDoesNotGuess(t *testing.T) {
	f := fixture(t)
	for body, want := range map[string]string{
		`print(exec.run(["true"]).stdout)`:                       "the result of exec.run(true) is not known in a preview",
		`exec.run(["false"], preview = exec.result(code = 4))`:   "false: exit status 4",
		`exec.run(["no-such-command"], read_only = True)`:        "the command is not there yet, so a preview cannot run it",
		`exec.run(["true"], read_only = True, cwd = DIR + "/d")`: "/d does not exist, so a preview cannot run it",
	} {
		f.Preview(body).Want(events.Refused).WantError(want)
	}
	f.Preview(`
r = exec.run(["no-such-command"], read_only = True, preview = exec.result(stdout = "v1"))
test.equal(r.stdout, "v1")
`).Want(events.NoChange)
}

// A read-only command runs in a preview, is no change, and carries the run's marker.
func TestReadOnly(t *testing.T) {
	f := fixture(t)
	body := `
r = exec.run(["env"], read_only = True)
test.contains(r.stdout, "INFRARUN_RUN=")
test.equal(exec.run(["false"], read_only = True, check = False).code, 1)
`
	f.Preview(body).Want(events.NoChange)
	r := f.Run(body).Want(events.Succeeded)
	if len(r.Changes()) > 0 {
		t.Errorf("changes = %v", r.Summaries())
	}
}

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

func TestWhich(t *testing.T) {
	f := fixture(t)
	body := fmt.Sprintf(`
test.equal(exec.which("sh"), %q)
test.equal(exec.which("no-such-command"), "")
test.equal(exec.which("/no/such/command"), "")
test.equal(exec.which(DIR), "")
`, whichSh(t))
	f.Preview(body).Want(events.NoChange)
	f.Run(body).Want(events.Succeeded)
	f.Preview(`
exec.run(["touch", DIR + "/tool"], creates = [DIR + "/tool"])
test.equal(exec.which(DIR + "/tool"), DIR + "/tool")
`).Want(events.WouldChange)
}

func whichSh(t *testing.T) string {
	t.Helper()
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if info, err := os.Stat(filepath.Join(dir, "sh")); err == nil && info.Mode()&0o111 != 0 {
			return filepath.Join(dir, "sh")
		}
	}
	t.Fatal("there is no sh")
	return ""
}

// The changes that a preview lists and those that the run makes are the same.
func TestPreviewIsWhatARunDoes(t *testing.T) {
	f := fixture(t)
	body := `
exec.run(["mkdir", DIR + "/d"], creates = [DIR + "/d/"])
exec.run(["touch", DIR + "/d/f"], creates = [DIR + "/d/f"], title = "make f")
exec.run(["mkdir", DIR + "/d"], creates = [DIR + "/d/"])
`
	previewed := f.Preview(body).Want(events.WouldChange).Summaries()
	done := f.Run(body).Want(events.Succeeded).Summaries()
	for i := range previewed {
		previewed[i] = strings.Replace(previewed[i], "would", "done", 1)
	}
	if fmt.Sprint(previewed) != fmt.Sprint(done) {
		t.Errorf("previewed:\n%s\ndone:\n%s", strings.Join(previewed, "\n"), strings.Join(done, "\n"))
	}
}
