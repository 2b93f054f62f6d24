package runtime

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/events"
)

// Where the state cannot be written nothing is changed, and nothing is left.
func TestStateThatCannotBeWritten(t *testing.T) {
	tests := map[string]struct {
		block func(dir string) error
		want  string
	}{
		"the directory's place is a file": {func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "make the state directory"},
		"the lock is a directory":         {func(dir string) error { return os.MkdirAll(filepath.Join(dir, "lock"), 0o700) }, "open the lock"},
		"runs is a file": {func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "runs"), nil, 0o600))
		}, "list the runs"},
		"runs leads nowhere": {func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.Symlink("/nowhere/at/all", filepath.Join(dir, "runs")))
		}, "make the state directory"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			if err := tt.block(l.state.Dir()); err != nil {
				t.Fatal(err)
			}
			r := l.run(`box.put(DIR + "/a", "1")`).want(events.Refused, ExitRefused)
			r.wantError(tt.want, l.state.Dir())
			l.wantCalls()
			l.rollback("").want(events.Refused, ExitRefused)
		})
	}
}

// A directory of a run that cannot be completed is removed again, with all that is in it.
func TestRunThatCannotBegin(t *testing.T) {
	for _, block := range []string{"journal", "run.json", "deploy.log", "events.jsonl"} {
		t.Run(block, func(t *testing.T) {
			l := newLab(t)
			recipe, values, err := l.load(`box.put(DIR + "/a", "1")`)
			if err != nil {
				t.Fatal(err)
			}
			run := &Run{mode: events.ModeRun}
			if err := run.prepare(recipe, values, Options{State: l.state}); err != nil {
				t.Fatal(err)
			}
			run.started = time.Now().Add(time.Hour)
			dir := l.state.RunDir(runName(run.started))
			// A source whose name leads out of sources/ makes a directory where the file is to be.
			recipe.loader.sources.texts[moduleID{"..", block + "/x"}] = ""
			lock, err := run.begin(values)
			if err == nil {
				lock.Release()
				t.Fatal("it began")
			}
			o := run.refuse(t.Context(), err)
			if o.ExitCode != ExitRefused || !strings.Contains(o.Error, dir) {
				t.Errorf("exit %d: %s", o.ExitCode, o.Error)
			}
			if entries, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(entries) != 0 {
				t.Errorf("left in runs: %v, %v", entries, err)
			}
			l.run(`box.put(DIR + "/a", "1")`).want(events.Succeeded, ExitDone)
		})
	}
}

func TestSinksThatAreNil(t *testing.T) {
	l := newLab(t)
	r := l.execute(t.Context(), (*Recipe).Run, `print("x")`, nil, nil)
	r.want(events.Succeeded, ExitDone)
}

// A record that cannot be written at the end is told; the outcome is the journal's.
func TestRecordThatCannotBeWrittenAtTheEnd(t *testing.T) {
	l := newLab(t)
	l.box.hook("block", func(c *Call) (starlark.Value, error) {
		name := filepath.Join(l.state.RunDir(c.RunID()), "run.json")
		return nil, errors.Join(os.Remove(name), os.MkdirAll(filepath.Join(name, "x"), 0o700))
	})
	r := l.run("box.put(DIR + \"/a\", \"1\")\nbox.hook(\"block\")").want(events.Succeeded, ExitDone)
	wantParts(t, "log", r.logs("error"), "run.json")
}
