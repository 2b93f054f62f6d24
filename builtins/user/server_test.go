package user_test

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/user"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// TestOnServer makes users on a fresh Debian server, with its own useradd.
func TestOnServer(t *testing.T) {
	server.Run(t, map[string]func(*testing.T){
		"exact":           testExact,
		"broken anywhere": testBrokenAnywhere,
		"existing":        testExisting,
		"others":          testOthersMeanwhile,
		"in use":          testInUse,
		"preview":         testPreview,
		"refused":         testRefused,
		"drift":           testDrift,
	})
}

// recipe is a whole module with what stands in main.
func recipe(body string) string {
	const permissions = `PERMISSIONS = {"user": ["app", "late", "person", "group:infra", "group:app", "group:adm", "group:nowhere"], "fs.write": [DIR]}`
	var text strings.Builder
	text.WriteString(permissions + "\n\ndef main(ctx):\n")
	for line := range strings.Lines(strings.TrimSpace(body)) {
		text.WriteString("    " + line)
	}
	return text.String() + "\n"
}

func newFixture(t *testing.T) *familytest.Fixture {
	return familytest.New(t, user.Family(), fs.Family())
}

// etc describes everything in /etc, but for the lock that every change of accounts leaves behind.
func etc(t *testing.T) string {
	t.Helper()
	lines := slices.DeleteFunc(strings.SplitAfter(familytest.Tree(t, "/etc"), "\n"), func(line string) bool {
		return strings.HasPrefix(line, ".pwd.lock ")
	})
	return strings.Join(lines, "")
}

func command(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := exec.Command(argv[0], argv[1:]...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", argv, err, out)
	}
	return string(out)
}

const everything = `
user.group("infra")
u = user.ensure("app", home = "/opt/app", groups = ["infra", "adm"])
test.equal(user.lookup("app"), struct(name = "app", uid = u.uid, gid = u.gid, group = "app", groups = ["adm", "infra"],
    home = "/opt/app", shell = "/usr/sbin/nologin"))
fs.mkdir(DIR + "/home", owner = "app", mode = "0750")
test.equal(fs.stat(DIR + "/home").owner, "app")
user.ensure("person", system = False)
test.equal(user.lookup("person").uid >= 1000, True)
test.equal(user.lookup("person").home, "/home/person")
`

func testExact(t *testing.T) {
	f := newFixture(t)
	before := etc(t)
	f.Run(recipe(everything)).Want(events.Succeeded)
	if got := command(t, "id", "-nG", "app"); got != "app adm infra\n" {
		t.Errorf("app is in %q", got)
	}
	if got := command(t, "passwd", "--status", "app"); !strings.HasPrefix(got, "app L ") {
		t.Errorf("the password of app is not locked: %q", got)
	}
	r := f.Run(recipe(everything)).Want(events.Succeeded)
	for _, line := range r.Summaries() {
		if !strings.HasPrefix(line, "unchanged ") {
			t.Errorf("the second time there is %q", line)
		}
	}
	f.Rollback().Want(events.Restored) // of the first run: the second has changed nothing
	familytest.SameTree(t, "after the rollback", etc(t), before)
	if out, err := exec.Command("id", "app").CombinedOutput(); err == nil {
		t.Errorf("the user is left: %s", out)
	}
	f.UndoTwice(recipe(everything))
	familytest.SameTree(t, "after undoing twice", etc(t), before)
}

func testBrokenAnywhere(t *testing.T) {
	f := newFixture(t)
	before := etc(t)
	if places := f.BreakEverywhere(recipe(everything)); places != 8 {
		t.Errorf("the recipe was broken at %d places, want before and after each of 4 changes", places)
	}
	familytest.SameTree(t, "after breaking everywhere", etc(t), before)
}

func testExisting(t *testing.T) {
	command(t, "useradd", "--system", "--shell", "/bin/sh", "app")
	defer command(t, "userdel", "app")
	before := etc(t)
	f := newFixture(t)
	f.Run(recipe(`
u = user.ensure("app")
test.equal((u.changed, u.shell), (False, "/bin/sh"))
test.equal(user.ensure("app", groups = ["adm"], shell = "/bin/bash").changed, True)
test.equal((user.lookup("app").shell, user.lookup("app").groups), ("/bin/bash", ["adm"]))
test.equal(user.ensure("app", home = "/srv/app", groups = ["adm"]).home, "/srv/app")
`)).Want(events.Succeeded)
	f.Run(recipe(`user.ensure("app", uid = 4711)`)).Want(events.Refused).WantError("it has the number", "not 4711")
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", etc(t), before)
}

// testOthersMeanwhile has somebody else make users and groups between a run and its rollback.
func testOthersMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.Run(recipe(everything)).Want(events.Succeeded)
	command(t, "useradd", "--create-home", "visitor")
	command(t, "usermod", "--append", "--groups", "infra,app", "visitor")
	f.ForceRollback().Want(events.Restored)
	defer command(t, "userdel", "--remove", "visitor")
	for _, path := range []string{"/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow", "/etc/subuid", "/etc/subgid"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			if name, _, _ := strings.Cut(line, ":"); slices.Contains([]string{"app", "infra", "person"}, name) || strings.Contains(line, "app,") {
				t.Errorf("%s has the line %q left", path, line)
			}
		}
		if path != "/etc/group" && path != "/etc/gshadow" && !strings.Contains(string(data), "\nvisitor:") && !strings.HasPrefix(string(data), "visitor:") {
			t.Errorf("%s has lost somebody else's user:\n%s", path, data)
		}
	}
	if out, err := exec.Command("pwck", "--read-only").CombinedOutput(); err != nil && strings.Contains(string(out), "visitor") {
		t.Errorf("pwck: %v\n%s", err, out)
	}
}

func testPreview(t *testing.T) {
	before := etc(t)
	f := newFixture(t)
	body := strings.ReplaceAll(everything, `fs.mkdir(DIR + "/home", owner = "app", mode = "0750")`, `fs.mkdir(DIR + "/home")`)
	body = strings.ReplaceAll(body, `test.equal(fs.stat(DIR + "/home").owner, "app")`, "pass")
	preview := f.Preview(recipe(body)).Want(events.WouldChange)
	familytest.SameTree(t, "after the preview", etc(t), before)
	var diff string
	for _, c := range preview.Changes() {
		diff += c.Diff
	}
	for _, want := range []string{"+infra:x:", "+app:x:", ":/opt/app:/usr/sbin/nologin\n", "-adm:x:4:\n", "+adm:x:4:app\n", "+person:x:1000:1000::/home/person:/usr/sbin/nologin\n"} {
		if !strings.Contains(diff, want) {
			t.Errorf("the preview does not show %q:\n%s", want, diff)
		}
	}
	run := f.Run(recipe(body)).Want(events.Succeeded)
	would, done := preview.Summaries(), run.Summaries()
	for i := range min(len(would), len(done)) {
		if strings.TrimPrefix(would[i], "would ") != strings.TrimPrefix(done[i], "done ") {
			t.Errorf("previewed %q, done %q", would[i], done[i])
		}
	}
	if len(would) != len(done) {
		t.Errorf("previewed %d changes, made %d", len(would), len(done))
	}
	f.Rollback().Want(events.Restored)
	r := f.Preview(recipe(`user.ensure("app", groups = ["nowhere"])`)).Want(events.WouldChange)
	if c := r.Changes()[0]; !strings.Contains(c.Assumed, "there is a group nowhere") {
		t.Errorf("assumed %q", c.Assumed)
	}
}
