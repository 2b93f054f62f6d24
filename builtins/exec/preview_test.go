package exec

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

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
