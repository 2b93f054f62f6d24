package pkg

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// TestOnServer manages the packages of a fresh Debian server, with its own apt.
func TestOnServer(t *testing.T) {
	t.Parallel()
	server.Run(t, map[string]func(*testing.T){
		"preview":     testPreview,
		"kept":        testKept,
		"asked":       testRemovedWhenAsked,
		"removed":     testRemoved,
		"dependents":  testDependents,
		"broken":      testBrokenAnywhere,
		"interrupted": testInterrupted,
		"locked":      testLocked,
		"remove":      testRemove,
		"repository":  testRepository,
		"mirror":      testMirror,
		"refused":     testRefused,
		"lists":       testLists,
		"config":      testConfigLeft,
		"check":       testCheck,
		"checkBad":    testCheckSources,
		"checkFetch":  testCheckFetches,
	})
}

const permissions = `PERMISSIONS = {
    "pkg": ["jq", "libjq1", "tree", "nosuch", "configured", "infrarun-hello", "lists", "repository:*", "mirror:127.0.0.1"],
    "fs.write": [DIR], "exec": ["*"], "net": ["*"],
}
`

// recipe is a whole module with what stands in main.
func recipe(body string) string {
	var text strings.Builder
	text.WriteString(permissions + "\ndef main(ctx):\n")
	for line := range strings.Lines(strings.TrimSpace(body)) {
		text.WriteString("    " + line)
	}
	return text.String() + "\n"
}

func newFixture(t *testing.T) *familytest.Fixture { return familytest.New(t, Family(), fs.Family()) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func command(t *testing.T, argv ...string) string {
	t.Helper()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

// packages lists all that dpkg knows.
func packages(t *testing.T) string {
	t.Helper()
	return command(t, "dpkg-query", "--show", "--showformat", "${Package}:${Architecture} ${Version} ${Status}\n")
}

func testPreview(t *testing.T) {
	noLists(t)
	f := newFixture(t)
	trees := func() string {
		all := ""
		for _, dir := range []string{"/etc", "/var/lib", "/var/cache", "/var/log/apt"} {
			all += familytest.Tree(t, dir)
		}
		return all
	}
	before := trees()
	const body = `
test.equal(pkg.manager(), "apt")
test.equal(pkg.installed("jq"), "")
test.equal(pkg.installed("bash") != "", True)
test.equal(pkg.update().changed, True)
test.equal(pkg.install(["jq", "bash"], provides = ["/usr/bin/jq"]).installed, ["jq"])
test.equal(pkg.update().changed, False)
test.equal(pkg.installed("jq") != "", True)
test.equal(fs.exists("/usr/bin/jq"), True)
`
	grant := strings.Replace(recipe(strings.Replace(body, `"bash"]`, `"tree"]`, 1)), `["jq"])`, `["jq", "tree"])`, 1)
	grant = strings.Replace(grant, `"fs.write": [DIR]`, `"fs.write": [DIR], "fs.read": ["/usr/bin"]`, 1)
	r := f.Preview(grant).Want(events.WouldChange)
	familytest.SameTree(t, "after a preview without lists", trees(), before)
	if c := r.Changes()[1]; !strings.Contains(c.Assumed, "jq, tree can be installed when the lists") || c.Undo != "compensating" || !strings.HasPrefix(c.UndoNote, "keeps the packages; ") {
		t.Errorf("the preview says %+v", c)
	}
	smallWorld(t)
	before = trees()
	r = f.Preview(recipe(`
test.contains(pkg.version_available("jq"), "1.6")
test.equal(pkg.version_available("nosuch"), "")
pkg.install(["jq"], undo = "remove")
test.contains(pkg.installed("jq"), "1.6")
test.contains(pkg.installed("libjq1"), "1.6")
test.equal(pkg.install(["jq"]).changed, False)
pkg.remove(["jq"])
test.equal(pkg.installed("jq"), "")
`)).Want(events.WouldChange)
	familytest.SameTree(t, "after a preview with lists", trees(), before)
	if c := r.Changes()[0]; !strings.Contains(c.Diff, "+jq 1.6") || !strings.Contains(c.Diff, "+libonig5 ") || c.Assumed != "" || c.Undo != "compensating" {
		t.Errorf("the preview says %+v", c)
	}
}

// testKept installs from Debian itself.
func testKept(t *testing.T) {
	noLists(t)
	f := newFixture(t)
	r := f.Run(recipe(`
out = pkg.install(["jq"])
test.equal(out.installed, ["jq"])
test.equal(pkg.install(["jq"]).changed, False)
test.contains(pkg.installed("jq"), "1.6")
`)).Want(events.Succeeded)
	defer command(t, "apt-get", "--yes", "purge", "jq", "libjq1", "libonig5")
	if !said(r, "3 packages were installed, a rollback keeps them: jq libjq1 libonig5") {
		t.Error("what came is not told")
	}
	if bars := progressOf(r); bars == 0 {
		t.Error("there was no progress")
	}
	runs, err := filepath.Glob(f.State.Dir() + "/runs/*/journal")
	must(t, err)
	if journal, err := os.ReadFile(runs[0]); err != nil || !strings.Contains(string(journal), `{"name":"libonig5","arch":"`) {
		t.Errorf("what came is not in the journal; %v", err)
	}
	r = f.Rollback().Want(events.Restored)
	want := []events.Kept{{What: "the packages jq, libjq1, libonig5", Remove: "apt-get purge jq libjq1 libonig5"}}
	if r.Outcome.Undone != 0 || !slices.Equal(r.Outcome.Kept, want) {
		t.Errorf("the rollback has undone %d changes and kept %v, want none and %v", r.Outcome.Undone, r.Outcome.Kept, want)
	}
	command(t, "jq", "--version")
}

// said reports whether a run printed a line, or warned with it.
func said(r *familytest.Result, text string) bool {
	for _, e := range r.Events() {
		if strings.Contains(e.Text, text) {
			return true
		}
	}
	return false
}

func progressOf(r *familytest.Result) (bars int) {
	for _, e := range r.Events() {
		if e.Kind == events.Progress && strings.HasPrefix(e.Progress.What, "install") {
			bars++
		}
	}
	return bars
}
