package pkg

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func testRemoved(t *testing.T) {
	lists(t)
	f := newFixture(t)
	before, etc := packages(t), familytest.Tree(t, "/etc")
	f.UndoTwice(recipe(`pkg.install(["jq"], undo = "remove")`))
	familytest.SameTree(t, "the packages after undoing twice", packages(t), before)
	f.Run(recipe(`pkg.install(["tree"], undo = "remove")`)).Want(events.Succeeded)
	command(t, "apt-get", "--yes", "install", "jq") // somebody else's
	f.Rollback().Want(events.Restored)
	command(t, "jq", "--version")
	command(t, "apt-get", "--yes", "purge", "jq", "libjq1", "libonig5")
	familytest.SameTree(t, "the packages after all", packages(t), before)
	if now := familytest.Tree(t, "/etc"); now != etc {
		familytest.SameTree(t, "/etc after all", withoutCache(now), withoutCache(etc))
	}
}

// withoutCache leaves out what ldconfig makes anew for every library that comes or goes.
func withoutCache(tree string) string {
	var kept strings.Builder
	for line := range strings.Lines(tree) {
		if !strings.HasPrefix(line, "ld.so.cache ") {
			kept.WriteString(line)
		}
	}
	return kept.String()
}

// deb builds an empty package.
func deb(t *testing.T, dir, name, control string) string {
	t.Helper()
	root := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Join(root, "DEBIAN"), 0o755))
	control = "Package: " + name + "\nVersion: 1.0\nArchitecture: all\nMaintainer: A Test <test@example.org>\nDescription: for a test\n" + control
	must(t, os.WriteFile(filepath.Join(root, "DEBIAN/control"), []byte(control), 0o644))
	file := filepath.Join(dir, name+"_1.0_all.deb")
	command(t, "dpkg-deb", "--root-owner-group", "--build", root, file)
	return file
}

// testDependents has somebody else install what needs a package that the run brought.
func testDependents(t *testing.T) {
	lists(t)
	before := packages(t)
	f := newFixture(t)
	f.Run(recipe(`pkg.install(["jq"], undo = "remove")`)).Want(events.Succeeded)
	command(t, "dpkg", "--install", deb(t, t.TempDir(), "needs-jq", "Depends: jq\n"))
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
	lists(t)
	before := packages(t)
	f := newFixture(t)
	if places := f.BreakEverywhere(recipe(`pkg.install(["tree"], undo = "remove")`)); places != 2 {
		t.Errorf("the recipe was broken at %d places, want before and after the change", places)
	}
	familytest.SameTree(t, "the packages after breaking everywhere", packages(t), before)
}

func testRemove(t *testing.T) {
	lists(t)
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
	lists(t)
	f := newFixture(t)
	command(t, "apt-get", "--yes", "install", "bash-completion")
	command(t, "apt-get", "--yes", "remove", "bash-completion")
	must(t, os.WriteFile("/etc/profile.d/bash_completion.sh", []byte("# changed\n"), 0o644))
	before := packages(t)
	f.Run(recipe(`
test.equal(pkg.installed("bash-completion"), "")
pkg.install(["bash-completion"], undo = "remove")
test.equal(pkg.installed("bash-completion") != "", True)
`)).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "the packages after the rollback", packages(t), before)
	if text, err := os.ReadFile("/etc/profile.d/bash_completion.sh"); string(text) != "# changed\n" {
		t.Errorf("the configuration is %q, %v", text, err)
	}
	command(t, "apt-get", "--yes", "purge", "bash-completion")
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
	lists(t)
	before := packages(t)
	f := newFixture(t)
	for _, percent := range []int64{5, 30, 60, 90} {
		ctx, stop := context.WithCancelCause(t.Context())
		f.RunContext(ctx, recipe(`pkg.install(["jq"], undo = "remove")`), &stopper{percent, stop}).Want(events.Interrupted)
		familytest.SameTree(t, fmt.Sprintf("the packages after an interruption at %d %%", percent), packages(t), before)
		if left := command(t, "dpkg", "--audit"); left != "" {
			t.Errorf("interrupted at %d %%, dpkg misses something:\n%s", percent, left)
		}
		command(t, "apt-get", "check")
	}
}
