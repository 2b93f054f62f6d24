package pkg

import (
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// releaser lets go of a lock when the run says that it waits for it.
type releaser struct {
	release func()
	waited  string
	once    sync.Once
}

// Handle implements [events.Sink].
func (r *releaser) Handle(e events.Event) {
	if e.Kind == events.Log && strings.HasPrefix(e.Text, "waiting for ") {
		r.once.Do(func() { r.waited = e.Text; r.release() })
	}
}

// Close implements [events.Sink].
func (r *releaser) Close() error { return nil }

func testLocked(t *testing.T) {
	smallWorld(t)
	f := newFixture(t)
	pid, release := hold(t, "/var/lib/dpkg/lock-frontend")
	f.Run(recipe(`pkg.install(["tree"], wait = 0.01)`)).Want(events.RolledBack).
		WantError("(process ", "still holds /var/lib/dpkg/lock-frontend")
	s := &releaser{release: release}
	f.RunContext(t.Context(), recipe(`pkg.install(["tree"], wait = "1m", undo = "remove")`), s).Want(events.Succeeded)
	if !strings.Contains(s.waited, "(process ") || pid == 0 {
		t.Errorf("it said %q", s.waited)
	}
	f.Rollback().Want(events.Restored)
}

func testRefused(t *testing.T) {
	smallWorld(t)
	before := packages(t)
	f := newFixture(t)
	for body, want := range map[string]string{
		`pkg.install(["nosuch"])`:                  "Unable to locate package nosuch",
		`pkg.install(["jq=99"])`:                   "Version '99' for 'jq' was not found",
		`pkg.install(["--purge"])`:                 "is no package",
		`pkg.install([])`:                          "there are none",
		`pkg.install("jq")`:                        "want a list of strings",
		`pkg.install(["jq"], undo = "maybe")`:      "want keep or remove",
		`pkg.install(["jq"], provides = ["jq"])`:   "is no absolute path",
		`pkg.remove(["jq=1"])`:                     "a package is removed whatever its version",
		`pkg.mirror("mirror")`:                     "is no address",
		`pkg.add_repository("a", "http://a", "b")`: "is no public key",
	} {
		f.Run(recipe(body)).Want(events.Refused).WantError(want)
	}
	f.Run(recipe(`pkg.install(["vim"])`)).Want(events.DeniedRun).WantError("pkg: vim is not declared")
	familytest.SameTree(t, "the packages after refusals", packages(t), before)
}

func testLists(t *testing.T) {
	smallWorld(t)
	noLists(t)
	f := newFixture(t)
	f.Run(recipe(`
test.equal(pkg.update().changed, True)
test.equal(pkg.update().changed, False)
test.equal(pkg.update(max_age = 0).changed, True)
`)).Want(events.Succeeded)
	must(t, os.WriteFile("/etc/apt/sources.list.d/broken.list", []byte("deb http://127.0.0.1:9/none x main\n"), 0o644))
	defer os.Remove("/etc/apt/sources.list.d/broken.list")
	f.Run(recipe(`pkg.update()`)).Want(events.RolledBack).WantError("127.0.0.1", "exit status 100")
}
