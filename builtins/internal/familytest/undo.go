package familytest

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime/events"
)

// UndoTwice runs a recipe and rolls it back twice, as happens to a change when infrarun is killed after its undo and
// before that is journalled. After both DIR must be as it was. The recipe makes one change, or some that do not
// depend on each other: of those that do, a rollback never repeats more than the last.
func (f *Fixture) UndoTwice(recipe string) {
	f.t.Helper()
	before := Tree(f.t, f.Dir)
	f.Run(recipe).Want(events.Succeeded)
	forget := f.Remember()
	f.Rollback().Want(events.Restored)
	SameTree(f.t, "after the rollback", Tree(f.t, f.Dir), before)
	forget()
	f.ForceRollback().Want(events.Restored)
	SameTree(f.t, "after the second rollback", Tree(f.t, f.Dir), before)
}

// BreakEverywhere runs a recipe again and again, failing once before each change is applied (so that its
// undo finds a change that never happened) and once after it. Each time DIR must be put back as it was. The
// recipe must not use parallel. It returns at how many places the recipe was broken.
func (f *Fixture) BreakEverywhere(recipe string) int {
	f.t.Helper()
	before := Tree(f.t, f.Dir)
	for n := 1; ; n++ {
		b := &breaker{left: n}
		r := f.RunContext(f.t.Context(), recipe, b)
		if b.left > 0 {
			r.Want(events.Succeeded)
			f.Rollback().Want(events.Restored)
			SameTree(f.t, "after the rollback of the whole", Tree(f.t, f.Dir), before)
			return n - 1
		}
		r.Want(events.RolledBack)
		SameTree(f.t, fmt.Sprintf("broken at place %d, %s", n, b.place), Tree(f.t, f.Dir), before)
	}
}

// breaker is a sink that makes a builtin panic right before or after a change is made.
type breaker struct {
	left  int
	place string
}

// Handle implements [events.Sink].
func (b *breaker) Handle(e events.Event) {
	if b.left <= 0 || e.Kind != events.ChangeStarted && (e.Kind != events.ChangeFinished || e.Change.Status != events.Done) {
		return
	}
	if b.left--; b.left == 0 {
		b.place = fmt.Sprintf("%s of %s %s", e.Kind, e.Change.Call, e.Change.Target)
		panic("broken by the test at " + b.place)
	}
}

// Close implements [events.Sink].
func (b *breaker) Close() error { return nil }

// Remember reads what says that the newest run has not been rolled back, and what it keeps for its undo, and returns a
// function that puts that back.
func (f *Fixture) Remember() (putBack func()) {
	f.t.Helper()
	runs, err := f.State.Runs()
	if err != nil || len(runs) == 0 {
		f.t.Fatalf("there is no run to remember: %v", err)
	}
	dir := f.State.RunDir(runs[0].Run.ID)
	contents := map[string][]byte{}
	for _, name := range []string{"journal", "run.json"} {
		if contents[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			f.t.Fatal(err)
		}
	}
	blobs, saved := filepath.Join(dir, "blobs"), f.t.TempDir()
	if err := os.CopyFS(saved, os.DirFS(blobs)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		f.t.Fatal(err)
	}
	return func() {
		if err := errors.Join(os.RemoveAll(blobs), os.CopyFS(blobs, os.DirFS(saved))); err != nil {
			f.t.Fatal(err)
		}
		for name, data := range contents {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				f.t.Fatal(err)
			}
		}
	}
}
