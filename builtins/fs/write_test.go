package fs_test

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// me is the user that runs the tests, by number.
func me() string { return fmt.Sprint(os.Getuid()) }

func TestWriteSaysWhatItDoes(t *testing.T) {
	tests := []struct{ name, recipe, want string }{
		{"new", `fs.write(DIR + "/new", "12345")`, "done fs.write: create, 5 bytes, mode 0644"},
		{"new with mode", `fs.write(DIR + "/new", "12345", mode = "0600")`, "done fs.write: create, 5 bytes, mode 0600"},
		{"same", `fs.write(DIR + "/app.conf", "port = 80\nname = app\n")`, "unchanged fs.write: already so"},
		{"same mode", `fs.write(DIR + "/app.conf", "port = 80\nname = app\n", mode = 0o640)`, "unchanged fs.write: already so"},
		{"content", `fs.write(DIR + "/app.conf", "port = 8\nname = app\n")`, "done fs.write: change 21 bytes to 20 bytes"},
		{"mode", `fs.write(DIR + "/app.conf", "port = 80\nname = app\n", mode = "0600")`, "done fs.write: mode 0640 -> 0600"},
		{"both", `fs.write(DIR + "/app.conf", "", mode = "0600")`, "done fs.write: change 21 bytes to 0 bytes, mode 0640 -> 0600"},
		{"link", `fs.write(DIR + "/current", "file")`, "done fs.write: replace the link to releases/1 by a file, 4 bytes"},
		{"all", `fs.write_all({DIR + "/app.conf": "x", DIR + "/new": "y", DIR + "/tree/a": "a"}, mode = "0644")`,
			"done fs.write_all: create 1, change 1, keep 1"},
		{"none", `fs.write_all({})`, "unchanged fs.write_all: all 0 already so"},
		{"mkdir", `fs.mkdir(DIR + "/a/b/c")`, "done fs.mkdir: create, mode 0755, with 2 above it"},
		{"mkdir mode", `fs.mkdir(DIR + "/tree", mode = "0700")`, "done fs.mkdir: mode 0755 -> 0700"},
		{"mkdir there", `fs.mkdir(DIR + "/current")`, "unchanged fs.mkdir: already there"},
		{"symlink", `fs.symlink("releases/2", DIR + "/current")`, "done fs.symlink: releases/1 -> releases/2"},
		{"symlink there", `fs.symlink("releases/1", DIR + "/current")`, "unchanged fs.symlink: already leads there"},
		{"symlink by force", `fs.symlink("x", DIR + "/tree", force = True)`, "done fs.symlink: replace the dir by a link to x"},
		{"copy", `fs.copy(DIR + "/tree/a", DIR + "/b")`, "done fs.copy: create, 1 bytes, mode 0644"},
		{"copy tree", `fs.copy_tree(DIR + "/tree", DIR + "/copy")`, "done fs.copy_tree: create 5, change 0, keep 0"},
		{"copy less", `fs.copy_tree(DIR + "/tree", DIR + "/copy", exclude = ["sub/", "l*"])`, "done fs.copy_tree: create 2, change 0, keep 0"},
		{"remove", `fs.remove(DIR + "/tree")`, "done fs.remove: directory with 3 entries"},
		{"remove a link", `fs.remove(DIR + "/current")`, "done fs.remove: link to releases/1"},
		{"remove nothing", `fs.remove(DIR + "/nothing")`, "unchanged fs.remove: not there"},
		{"chmod", `fs.chmod(DIR + "/tree/a", "0600")`, "done fs.chmod: mode 0644 -> 0600"},
		{"chmod all", `fs.chmod(DIR + "/tree", "0700", recursive = True)`, "done fs.chmod: of 4 files out of 5: mode 0700"},
		{"chown", `fs.chown(DIR + "/tree", "` + me() + `")`, "unchanged fs.chown: already so"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fixture(t)
			old(t, f.Dir)
			before := familytest.Tree(t, f.Dir)
			got := f.Run(tt.recipe).Want(events.Succeeded).Summaries()
			if len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if strings.HasPrefix(tt.want, "unchanged") {
				familytest.SameTree(t, "after nothing", familytest.Tree(t, f.Dir), before)
				return
			}
			f.Rollback().Want(events.Restored)
			familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
			f.UndoTwice(tt.recipe)
		})
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		name, recipe string
		want         []string
	}{
		{"no directory", `fs.write(DIR + "/no/file", "")`, []string{"/no does not exist", "fs.mkdir"}},
		{"a directory", `fs.write(DIR + "/tree", "")`, []string{"there is a directory at"}},
		{"a slash", `fs.write(DIR + "/file/", "")`, []string{"ends in a slash"}},
		{"a pipe", `fs.write(DIR + "/pipe", "")`, []string{"device, socket or pipe"}},
		{"read a pipe", `fs.read(DIR + "/pipe")`, []string{"device, socket or pipe"}},
		{"read a directory", `fs.read(DIR + "/tree")`, []string{"is a directory"}},
		{"read too much", `fs.read(DIR + "/app.conf", max_size = 3)`, []string{"more than the 3 bytes"}},
		{"read nothing", `fs.read(DIR + "/nothing")`, []string{"no such file"}},
		{"empty path", `fs.write("", "")`, []string{"the path is empty"}},
		{"NUL", `fs.remove(DIR + "/a\0b")`, []string{"NUL"}},
		{"twice", `fs.write_all({DIR + "/a": "", DIR + "/./a": ""})`, []string{"are the same file"}},
		{"below a file", `fs.mkdir(DIR + "/app.conf/sub")`, []string{"not a directory"}},
		{"link over a directory", `fs.symlink("x", DIR + "/tree")`, []string{"there is a dir at", "force = True"}},
		{"into itself", `fs.copy_tree(DIR + "/tree", DIR + "/tree/sub/copy")`, []string{"would be copied into itself"}},
		{"moved into itself", `fs.move(DIR + "/tree", DIR + "/tree/sub/copy")`, []string{"cannot be moved into itself"}},
		{"moved over", `fs.move(DIR + "/tree", DIR + "/app.conf")`, []string{"there is something at"}},
		{"moved from nowhere", `fs.move(DIR + "/nothing", DIR + "/x")`, []string{"no such file"}},
		{"copy a directory", `fs.copy(DIR + "/tree", DIR + "/x")`, []string{"is a dir, not a file"}},
		{"copy a file tree", `fs.copy_tree(DIR + "/app.conf", DIR + "/x")`, []string{"not a directory; fs.copy"}},
		{"copy a pipe", `fs.copy_tree(DIR, DIR + "-x")`, nil},
		{"must be there", `fs.remove(DIR + "/nothing", missing_ok = False)`, []string{"no such file"}},
		{"chmod of a link", `fs.chmod(DIR + "/current", "0700")`, []string{"is a link to releases/1"}},
		{"a user", `fs.chown(DIR + "/tree", "nobody-of-this-name")`, []string{"there is no user nobody-of-this-name"}},
		{"neither", `fs.chown(DIR + "/tree", "")`, []string{"neither owner nor group"}},
		{"temp", `fs.temp_dir("a/b")`, []string{"want a word"}},
		{"pattern", `fs.glob(DIR + "/[")`, []string{"syntax error in pattern"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fixture(t)
			f.Grant("fs.write", filepath.Dir(f.Dir))
			old(t, f.Dir)
			if err := syscall.Mkfifo(f.Dir+"/pipe", 0o644); err != nil {
				t.Fatal(err)
			}
			before := familytest.Tree(t, f.Dir)
			f.Preview(tt.recipe).Want(events.Refused).WantError(tt.want...)
			f.Run(tt.recipe).Want(events.Refused).WantError(tt.want...)
			familytest.SameTree(t, "after a refusal", familytest.Tree(t, f.Dir), before)
		})
	}
}

// These are only previewed: should a refusal be missing, nothing must come of it.
func TestWholeDirectoriesAreRefused(t *testing.T) {
	home, err := os.UserHomeDir()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, recipe string
		want         []string
	}{
		{"/", `fs.remove("/")`, []string{"directory of the system"}},
		{"//", `fs.remove("//")`, []string{"directory of the system"}},
		{"/.", `fs.remove("/etc/../")`, []string{"directory of the system"}},
		{"/etc", `fs.remove("/etc/")`, []string{"directory of the system"}},
		{"/usr", `fs.move("/usr", "/usr2")`, []string{"directory of the system"}},
		{"/var/lib", `fs.chmod("/var/lib/.", "0777", recursive = True)`, []string{"directory of the system"}},
		{"home", fmt.Sprintf(`fs.remove(%q)`, home), []string{home}},
		{"through a link", `fs.remove(DIR + "/to-root/etc")`, []string{"directory of the system"}},
		{"the state", `fs.remove(DIR + "/../state")`, []string{"needs to roll back"}},
		{"above the state", `fs.remove(DIR + "/..")`, []string{"needs to roll back"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fixture(t)
			f.Grant("fs.write", "/")
			link(t, "/", f.Dir+"/to-root")
			f.Preview(tt.recipe).Want(events.Refused).WantError(tt.want...)
		})
	}
}

func TestUndeclared(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	put(t, f.Dir+"/../outside/file", "outside", 0o644)
	link(t, "../outside", f.Dir+"/out")
	put(t, f.Dir+"/victim/x", "x", 0o644)
	put(t, f.Dir+"/evil/sub/file", "evil", 0o644)
	link(t, "../../outside", f.Dir+"/victim/sub")
	for _, recipe := range []string{
		`fs.write("/etc/app.conf", "")`,
		`fs.read("/etc/hostname")`,
		`fs.write(DIR + "/out/file", "")`,
		`fs.read(DIR + "/out/file")`,
		`fs.remove(DIR + "/../outside/file")`,
		`fs.copy(DIR + "/out/file", DIR + "/x")`,
		`fs.glob("/etc/*")`,
		`fs.glob(DIR + "/*/file")`,
		`fs.stat("/etc")`,
		`fs.copy_tree(DIR + "/evil", DIR + "/victim")`,
		// Links that only the recipe makes.
		"fs.symlink(\"../outside\", DIR + \"/o\")\nfs.write(DIR + \"/o/file\", \"\")",
		"fs.symlink(\"../outside\", DIR + \"/o\")\nfs.read(DIR + \"/o/file\")",
		"fs.symlink(DIR + \"/..\", DIR + \"/o\")\nfs.symlink(\"o\", DIR + \"/p\")\nfs.read(DIR + \"/p/outside/file\")",
		"t = fs.temp_dir()\nfs.symlink(\"/etc\", t + \"/o\")\nfs.read(t + \"/o/hostname\")",
		"t = fs.temp_dir()\nfs.symlink(\"/etc/hostname\", t + \"/o\")\nfs.read(t + \"/o\")",
	} {
		before := familytest.Tree(t, f.Dir)
		if got := f.Preview(recipe).Outcome; got.Result != events.DeniedRun && !strings.Contains(got.Error, "there is a link at") {
			t.Errorf("preview of %s ended %s: %s", recipe, got.Result, got.Error)
		}
		if got := f.Run(recipe).Outcome; got.Result == events.Succeeded {
			t.Errorf("run of %s ended %s: %s", recipe, got.Result, got.Error)
		}
		familytest.SameTree(t, recipe, familytest.Tree(t, f.Dir), before)
	}
	if got := content(t, f.Dir+"/out/file"); got != "outside" {
		t.Errorf("the file outside is now %q", got)
	}
}

func TestOwnerAndModeAreSet(t *testing.T) {
	familytest.Need(t, os.Getuid() == 0, "only root can give files away")
	nobody, err := user.Lookup("nobody")
	if err != nil {
		t.Fatal(err)
	}
	f := fixture(t)
	old(t, f.Dir)
	if err := os.Chown(f.Dir+"/app.conf", 12, 34); err != nil {
		t.Fatal(err)
	}
	recipe := `
fs.write(DIR + "/app.conf", "kept owner")
fs.write(DIR + "/new", "x", mode = "4755", owner = "nobody", group = "0")
fs.mkdir(DIR + "/d", owner = "nobody", mode = "2770")
fs.chown(DIR + "/setuid", "nobody")
fs.chown(DIR + "/current", "nobody")
`
	f.UndoTwice(recipe)
	f.Run(recipe).Want(events.Succeeded)
	var st syscall.Stat_t
	if err := syscall.Lstat(f.Dir+"/app.conf", &st); err != nil || st.Uid != 12 || st.Gid != 34 {
		t.Errorf("app.conf belongs to %d:%d (%v), want 12:34", st.Uid, st.Gid, err)
	}
	for name, mode := range map[string]os.FileMode{
		"new": 0o755 | os.ModeSetuid, "d": 0o770 | os.ModeSetgid, "setuid": 0o755 | os.ModeSetuid, "current": 0o777,
	} {
		if err := syscall.Lstat(f.Dir+"/"+name, &st); err != nil || fmt.Sprint(st.Uid) != nobody.Uid {
			t.Errorf("%s belongs to %d (%v), want %s", name, st.Uid, err, nobody.Uid)
		}
		if got := modeOf(t, f.Dir+"/"+name); got != mode {
			t.Errorf("%s has mode %v, want %v", name, got, mode)
		}
	}
}

func TestDiff(t *testing.T) {
	f := fixture(t)
	old(t, f.Dir)
	r := f.Preview(`
fs.write(DIR + "/app.conf", "port = 8080\nname = app")
fs.write(DIR + "/private.env", "TOKEN=shown-if-new\nPORT=1\n")
fs.write(DIR + "/releases/1/bin/app", "\0")
fs.write(DIR + "/app.conf", "port = 8080\nname = app", mode = "0600")
`).Want(events.WouldChange)
	want := []string{
		"--- " + f.Dir + "/app.conf\n+++ " + f.Dir + "/app.conf\n@@ -1,2 +1,2 @@\n" +
			"-port = 80\n-name = app\n+port = 8080\n+name = app\n\\ No newline at end of file\n",
		"--- " + f.Dir + "/private.env\n+++ " + f.Dir + "/private.env\n@@ -1 +1,2 @@\n" +
			"-TOKEN=***\n+TOKEN=shown-if-new\n+PORT=1\n",
		"binary files differ\n",
		"",
	}
	for i, c := range r.Changes() {
		if c.Diff != want[i] {
			t.Errorf("diff %d is\n%s\nwant\n%s", i, c.Diff, want[i])
		}
	}
	for _, e := range r.Events() {
		if strings.Contains(fmt.Sprintf("%+v", e), "a-secret-of-old") {
			t.Errorf("what a private file has in it is shown: %+v", e)
		}
	}
}
