package pkg

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func testRemoved(t *testing.T) {
	smallWorld(t)
	f := newFixture(t)
	before, etc := packages(t), familytest.Tree(t, "/etc")
	f.UndoTwice(recipe(`pkg.install(["jq"], undo = "remove")`))
	familytest.SameTree(t, "the packages after undoing twice", packages(t), before)
	f.Run(recipe(`pkg.install(["tree"], undo = "remove")`)).Want(events.Succeeded)
	command(t, "apt-get", "--yes", "install", "jq") // somebody else's
	f.Rollback().Want(events.Restored)
	if !strings.Contains(packages(t), "jq:all 1.6-2 install ok installed") {
		t.Error("what somebody else installed is gone")
	}
	command(t, "apt-get", "--yes", "purge", "jq", "libjq1", "libonig5")
	familytest.SameTree(t, "the packages after all", packages(t), before)
	familytest.SameTree(t, "/etc after all", familytest.Tree(t, "/etc"), etc)
}

// testRemovedWhenAsked rolls back an installation that is kept unless the operator says otherwise.
func testRemovedWhenAsked(t *testing.T) {
	smallWorld(t)
	f := newFixture(t)
	before, etc := packages(t), familytest.Tree(t, "/etc")
	r := f.Run(recipe(`pkg.install(["jq"])`)).Want(events.Succeeded)
	if !said(r, "libjq1 is being configured") {
		t.Error("what packages say when they are configured is not told")
	}
	r = f.RollbackAlso("packages").Want(events.Restored)
	if r.Outcome.Undone != 1 || len(r.Outcome.Kept) != 0 {
		t.Errorf("the rollback has undone %d changes and kept %v", r.Outcome.Undone, r.Outcome.Kept)
	}
	familytest.SameTree(t, "the packages after the rollback", packages(t), before)
	familytest.SameTree(t, "/etc after the rollback", familytest.Tree(t, "/etc"), etc)

	// A run that fails keeps them, also where it was broken off.
	for place := range 2 {
		r := f.RunContext(t.Context(), recipe(`pkg.install(["jq"])`), &breakAt{left: place + 1}).Want(events.RolledBack)
		if kept := len(r.Outcome.Kept); kept != place {
			t.Errorf("broken at place %d, the rollback tells of %d things that it kept", place, kept)
		}
	}
	command(t, "apt-get", "--yes", "purge", "jq", "libjq1", "libonig5")
	familytest.SameTree(t, "the packages after all", packages(t), before)
}

// breakAt breaks a run right before (1) or after (2) its only change.
type breakAt struct{ left int }

// Handle implements [events.Sink].
func (b *breakAt) Handle(e events.Event) {
	if e.Kind != events.ChangeStarted && e.Kind != events.ChangeFinished {
		return
	}
	if b.left--; b.left == 0 {
		panic("broken by the test")
	}
}

// Close implements [events.Sink].
func (b *breakAt) Close() error { return nil }

// testDependents has somebody else install what needs a package that the run brought.
func testDependents(t *testing.T) {
	smallWorld(t)
	before := packages(t)
	f := newFixture(t)
	f.Run(recipe(`pkg.install(["jq"], undo = "remove")`)).Want(events.Succeeded)
	command(t, "dpkg", "--install", deb(t, t.TempDir(), "needs-jq", "Depends: jq\n", ""))
	r := f.Rollback().Want(events.Incomplete)
	if text := r.Outcome.Left[0].Error; !strings.Contains(text, "needs-jq would go as well") {
		t.Errorf("left: %s", text)
	}
	f.Run(recipe(`pkg.remove(["jq"])`)).Want(events.Locked) // the rollback first
	command(t, "dpkg", "--purge", "needs-jq")
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "the packages after the rollback", packages(t), before)
}

func testBrokenAnywhere(t *testing.T) {
	smallWorld(t)
	before := packages(t)
	f := newFixture(t)
	command(t, "apt-get", "--yes", "install", "tree")
	with := packages(t)
	if places := f.BreakEverywhere(recipe(`
pkg.remove(["tree"])
pkg.install(["jq"], undo = "remove")
`)); places != 4 {
		t.Errorf("the recipe was broken at %d places, want before and after each of 2 changes", places)
	}
	familytest.SameTree(t, "the packages after breaking everywhere", packages(t), with)
	command(t, "apt-get", "--yes", "purge", "tree")
	familytest.SameTree(t, "the packages after all", packages(t), before)
}

func testRemove(t *testing.T) {
	smallWorld(t)
	command(t, "apt-get", "--yes", "install", "jq")
	defer command(t, "apt-get", "--yes", "purge", "jq", "libjq1", "libonig5")
	with := packages(t)
	f := newFixture(t)
	f.Run(recipe(`pkg.remove(["libjq1"])`)).Want(events.Refused).WantError("jq would go as well")
	f.Run(recipe(`
test.equal(pkg.remove(["jq", "tree"]).removed, ["jq"])
test.equal(pkg.installed("jq"), "")
test.equal(pkg.remove(["jq"]).changed, False)
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "the packages after the rollback", packages(t), with)
}

// testConfigLeft installs a package whose configuration was left by an earlier removal: its own comes back, and stays.
func testConfigLeft(t *testing.T) {
	smallWorld(t)
	f := newFixture(t)
	command(t, "apt-get", "--yes", "install", "configured")
	command(t, "apt-get", "--yes", "remove", "configured")
	must(t, os.WriteFile("/etc/configured.conf", []byte("# changed\n"), 0o644))
	before := packages(t)
	f.Run(recipe(`
test.equal(pkg.installed("configured"), "")
pkg.install(["configured"], undo = "remove")
test.equal(pkg.installed("configured") != "", True)
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "the packages after the rollback", packages(t), before)
	if text, err := os.ReadFile("/etc/configured.conf"); string(text) != "# changed\n" {
		t.Errorf("the configuration is %q, %v", text, err)
	}
	command(t, "apt-get", "--yes", "purge", "configured")
}

// stopper stops a run when its installation has come some way.
type stopper struct {
	at   int64 // percent
	stop context.CancelCauseFunc
}

// Handle implements [events.Sink].
func (s *stopper) Handle(e events.Event) {
	if e.Kind == events.Progress && strings.HasPrefix(e.Progress.What, "install: ") && e.Progress.Current >= s.at {
		s.stop(runtime.ErrInterrupted)
	}
}

// Close implements [events.Sink].
func (s *stopper) Close() error { return nil }

// testInterrupted stops apt while it installs, at several places: what is half there must go, too.
func testInterrupted(t *testing.T) {
	smallWorld(t)
	before := packages(t)
	f := newFixture(t)
	for _, percent := range []int64{0, 5, 20, 30, 40, 50, 60, 70, 80, 90} {
		ctx, stop := context.WithCancelCause(t.Context())
		f.RunContext(ctx, recipe(`pkg.install(["jq"], undo = "remove")`), &stopper{percent, stop}).Want(events.Interrupted)
		familytest.SameTree(t, fmt.Sprintf("the packages after an interruption at %d %%", percent), packages(t), before)
		if left := command(t, "dpkg", "--audit"); left != "" {
			t.Errorf("interrupted at %d %%, dpkg misses something:\n%s", percent, left)
		}
		command(t, "apt-get", "check")
	}
}
