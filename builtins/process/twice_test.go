package process

import (
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// breakAt is a sink that stops the run with a panic when a change of the kind process.… is about to be made, or
// has been made.
type breakAt struct{ kind events.Kind }

func (b breakAt) Handle(e events.Event) {
	if e.Kind == b.kind && strings.HasPrefix(e.Change.Call, "process.") && e.Change.Status != events.Unchanged {
		panic("broken by the test")
	}
}

func (breakAt) Close() error { return nil }

// An undo of what never happened leaves what runs alone.
func TestUndoOfWhatNeverHappened(t *testing.T) {
	for _, body := range []string{
		`process.start("s", ["sleep", "601"], dir = DIR)`, `process.stop("s", DIR)`, `process.restart("s", DIR)`,
	} {
		f := fixture(t)
		s := service{f.Dir, "s"}
		f.Run(sleeper).Want(events.Succeeded)
		first, before := wantRunning(t, s), familytest.Tree(t, f.Dir)
		f.RunContext(t.Context(), body, breakAt{events.ChangeStarted}).Want(events.RolledBack)
		if now := wantRunning(t, s); now != first {
			t.Errorf("%s: it was started again", body)
		}
		familytest.SameTree(t, body, familytest.Tree(t, f.Dir), before)
	}
}

// An undo that is carried out again, as after a crash right behind it, leaves what it has started alone.
func TestUndoTwice(t *testing.T) {
	for _, body := range []string{
		`process.start("s", ["sleep", "601"], dir = DIR)`, `process.stop("s", DIR)`, `process.restart("s", DIR)`,
		// The second time both find the first one's work.
		`process.start("s", ["sleep", "601"], dir = DIR)` + "\n" + `process.stop("s", DIR)` + "\n" + `process.start("s", ["sleep", "602"], dir = DIR)`,
	} {
		f := fixture(t)
		s := service{f.Dir, "s"}
		f.Run(sleeper).Want(events.Succeeded)
		first, before := wantRunning(t, s), tree(t, f)
		f.Run(body).Want(events.Succeeded)
		forget := f.Remember()
		f.Rollback().Want(events.Restored)
		familytest.SameTree(t, body, tree(t, f), before)
		second := wantRunning(t, s)
		if second.command == first.command {
			t.Errorf("%s: it was not even ended", body)
		}
		forget()
		f.ForceRollback().Want(events.Restored)
		familytest.SameTree(t, body+", again", tree(t, f), before)
		if third := wantRunning(t, s); third.state.Executable != second.state.Executable {
			t.Errorf("%s: the second time %+v runs, the first time %+v", body, third, second)
		}
	}
}
