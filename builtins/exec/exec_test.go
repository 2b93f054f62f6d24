package exec

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
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

func TestOutputOfAProbe(t *testing.T) {
	f := fixture(t)
	r := f.Run(`
exec.run(["sh", "-c", "echo one; echo two >&2"], read_only = True, show = True)
token = exec.run(["sh", "-c", "echo abc; echo defghi"], read_only = True, secret = True).stdout
test.equal(token, "abc\ndefghi\n")
`).Want(events.Succeeded)
	told := map[string]bool{}
	for _, e := range r.Events() {
		if e.Kind == events.Log {
			told[e.Text] = true
		}
		if strings.Contains(e.Text, "defghi") {
			t.Errorf("the secret is in %+v", e)
		}
	}
	if !told["one"] || !told["two"] {
		t.Errorf("told was %v", told)
	}
	for _, args := range []string{`show = True`, `secret = True`, `read_only = True, show = True, secret = True`} {
		f.Run(`exec.run(["true"], ` + args + `)`).Want(events.Refused).WantError("give one of them")
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
	familytest.Need(t, false, name+" is not where it mostly is")
	return ""
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
