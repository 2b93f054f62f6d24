package fs_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestWritable(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/app/file", "x", 0o444)
	link(t, "app", f.Dir+"/link")
	before := familytest.Tree(t, f.Dir)
	f.Run(`
for path in ["", "/", "/app", "/app/file", "/app/new", "/link/new", "/a/b/c/d", "/link"]:
    check = fs.writable(DIR + path)
    test.equal((path, check.ok, check.error), (path, True, ""))
check = fs.writable(DIR + "/app/file/below")
test.equal((check.ok, check.error), (False, DIR + "/app/file is a file, not a directory"))
`).Want(events.Succeeded)
	familytest.SameTree(t, "after it was asked", familytest.Tree(t, f.Dir), before)
	f.Preview(`fs.writable("/usr/share")`).WantError("fs.read", "/usr/share is not declared")
}

// What a preview predicts is there; where it would be made, the machine is asked.
func TestWritableInPreview(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/was-a-file", "x", 0o644)
	const recipe = `
fs.mkdir(DIR + "/made/deep")
fs.symlink("made/deep", DIR + "/current")
fs.remove(DIR + "/was-a-file")
fs.mkdir(DIR + "/was-a-file")
fs.write(DIR + "/made/file", "x")
for path in ["/made/deep/new", "/current/new", "/was-a-file/new", "/made/file"]:
    check = fs.writable(DIR + path)
    test.equal((path, check.ok, check.error), (path, True, ""))
test.equal(fs.writable(DIR + "/made/file/below").error, DIR + "/made/file is a file, not a directory")
`
	f.Preview(recipe).Want(events.WouldChange)
	f.Run(recipe).Want(events.Succeeded)
}

func TestWritableOnReadOnlyFileSystem(t *testing.T) {
	f := fixture(t)
	disk(t, f.Dir+"/disk", 1<<20)
	put(t, f.Dir+"/disk/app/file", "x", 0o644)
	link(t, "disk/app", f.Dir+"/link")
	if err := unix.Mount("", f.Dir+"/disk", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	f.Preview(`
fs.symlink("disk", DIR + "/predicted")
for path, dir in {
    "/disk": "/disk", "/disk/app/file": "/disk/app", "/disk/a/b": "/disk", "/link/new": "/disk/app", "/predicted/app/new": "/disk/app",
}.items():
    check = fs.writable(DIR + path)
    test.equal((path, check.ok, check.error), (path, False, DIR + dir + " is on a read-only file system"))
`).Want(events.WouldChange)
}

// userVariable is set where the test below runs as a user that is not root.
const userVariable = "INFRARUN_TEST_WRITABLE_AS_USER"

func TestWritableByUser(t *testing.T) {
	if os.Geteuid() == 0 && os.Getenv(userVariable) == "" {
		// Root may write anywhere. The link is there for anybody, the program's own directory is not.
		cmd := exec.Command("/proc/self/exe", "-test.v", "-test.run", "^TestWritableByUser$")
		cmd.Dir, cmd.Env = "/", []string{userVariable + "=1", "TMPDIR=/tmp", "PATH=" + os.Getenv("PATH")}
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestWritableByUser") {
			t.Fatalf("as a user: %v\n%s", err, out)
		}
		return
	}
	f := fixture(t).Grant("fs.read", "/")
	put(t, f.Dir+"/closed/app/file", "x", 0o600)
	put(t, f.Dir+"/hidden/app/file", "x", 0o600)
	for dir, mode := range map[string]os.FileMode{"/closed": 0o555, "/hidden": 0o600} {
		if err := os.Chmod(f.Dir+dir, mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.Chmod(f.Dir+dir, 0o755) })
	}
	f.Run(`
test.equal(fs.writable(DIR + "/closed/app/new").ok, True)
for path, dir, mode in [("/closed", "/closed", "0555"), ("/closed/new/deep", "/closed", "0555"), ("/hidden", "/hidden", "0600")]:
    check = fs.writable(DIR + path)
    test.equal((path, check.ok), (path, False))
    test.contains(check.error, " may not write to " + DIR + dir + ", which belongs to ")
    test.contains(check.error, " and has the mode " + mode)
test.contains(fs.writable("/infrarun-none/new").error, " may not write to /, which belongs to root and root and has the mode 0")
`).Want(events.Succeeded)
}
