package fs_test

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// disk mounts a small file system of its own at a new directory.
func disk(t *testing.T, dir string, size int) {
	t.Helper()
	familytest.Need(t, os.Getuid() == 0, "only root can mount")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0755", size)); err != nil {
		familytest.Need(t, false, "cannot mount a tmpfs: "+err.Error())
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
}

// writes are recipes that write more than a disk at DIR/disk has room for, from what larges has made.
var writes = map[string]string{
	"write":     `fs.write(DIR + "/disk/file", fs.read(DIR + "/large"))`,
	"write_all": `fs.write_all({DIR + "/disk/%d" % i: fs.read(DIR + "/larges/1") for i in range(4)})`,
	"copy":      `fs.copy(DIR + "/large", DIR + "/disk/file")`,
	"copy_tree": `fs.copy_tree(DIR + "/larges", DIR + "/disk/larges")`,
}

// larges makes a disk of a given size with a file, and beside it a file of another size, also in two parts.
func larges(t *testing.T, dir string, room, size int) {
	t.Helper()
	disk(t, dir+"/disk", room)
	put(t, dir+"/disk/file", "before", 0o640)
	put(t, dir+"/large", strings.Repeat("x", size), 0o644)
	put(t, dir+"/larges/1", strings.Repeat("x", size/2), 0o644)
	put(t, dir+"/larges/2", strings.Repeat("x", size/2), 0o644)
}

func TestFullDisk(t *testing.T) {
	all := maps.Clone(writes)
	all["move"] = `fs.move(DIR + "/larges", DIR + "/disk/larges")`
	for name, write := range all {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			larges(t, f.Dir, 256<<10, 400<<10)
			before := familytest.Tree(t, f.Dir)
			f.Run(write).Want(events.RolledBack).WantError("no space left on device", "free", "make room", f.Dir+"/disk")
			familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
		})
	}
}

// Of a large write it is known before the first byte, and in a preview, that the disk cannot take it.
func TestNotEnoughRoom(t *testing.T) {
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			larges(t, f.Dir, 1<<20, 3<<20)
			for _, how := range []func(string) *familytest.Result{f.Preview, f.Run} {
				how(write).Want(events.Refused).WantError("there is not enough room for "+f.Dir+"/disk", "MiB, and ", " are free; make room")
			}
		})
	}
}

// rich makes a tree with all that a copy can lose.
func rich(t *testing.T, dir string) {
	t.Helper()
	put(t, dir+"/file", "content", 0o640)
	put(t, dir+"/sub/setuid", "x", 0o755|os.ModeSetuid)
	put(t, dir+"/closed/file", "x", 0o400)
	link(t, "sub/setuid", dir+"/link")
	link(t, "nowhere", dir+"/dangling")
	for _, err := range []error{
		os.Link(dir+"/file", dir+"/sub/hard"),
		syscall.Mkfifo(dir+"/pipe", 0o622),
		unix.Mknod(dir+"/socket", unix.S_IFSOCK|0o600, 0),
		os.Lchown(dir+"/link", 3, 4),
		os.Chown(dir+"/file", 1, 2),
		unix.Lsetxattr(dir+"/file", "trusted.infrarun", []byte("kept"), 0),
		os.Chmod(dir+"/closed", 0o500),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestAcrossFileSystems(t *testing.T) {
	for name, recipe := range map[string]string{
		"remove":        `fs.remove(DIR + "/disk/tree")`,
		"move":          `fs.move(DIR + "/disk/tree", DIR + "/moved")`,
		"move here":     `fs.move(DIR + "/here", DIR + "/disk/moved")`,
		"created":       `fs.copy_tree(DIR + "/disk/tree/closed", DIR + "/disk/copy")`,
		"link by force": `fs.symlink("elsewhere", DIR + "/disk/tree", force = True)`,
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			disk(t, f.Dir+"/disk", 4<<20)
			rich(t, f.Dir+"/disk/tree")
			rich(t, f.Dir+"/here")
			f.BreakEverywhere(recipe)
			f.UndoTwice(recipe)
			f.BreakEverywhere(recipe + "\nfs.mkdir(DIR + \"/disk/a/b\")\nfs.write(DIR + \"/disk/a/b/c\", \"\")")
			sameFile(t, f.Dir+"/disk/tree/file", f.Dir+"/disk/tree/sub/hard")
			value := make([]byte, 10)
			if n, err := unix.Lgetxattr(f.Dir+"/disk/tree/file", "trusted.infrarun", value); err != nil || string(value[:n]) != "kept" {
				t.Errorf("the attribute is %q, %v", value[:max(n, 0)], err)
			}
		})
	}
}

func sameFile(t *testing.T, a, b string) {
	t.Helper()
	one, err := os.Lstat(a)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.Lstat(b)
	if err != nil || !os.SameFile(one, other) {
		t.Errorf("%s and %s are not one file any more: %v", a, b, err)
	}
}

func TestMountedBelowIsRefused(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/tree/file", "x", 0o644)
	disk(t, f.Dir+"/tree/disk", 1<<20)
	put(t, f.Dir+"/tree/disk/data", "precious", 0o644)
	for _, recipe := range []string{
		`fs.remove(DIR + "/tree")`, `fs.move(DIR + "/tree", DIR + "/moved")`,
	} {
		r := f.Run(recipe)
		if r.Outcome.Result != events.RolledBack || !strings.Contains(r.Outcome.Error, "is mounted at "+f.Dir+"/tree/disk") {
			t.Errorf("%s ended %s: %s", recipe, r.Outcome.Result, r.Outcome.Error)
		}
		if got := content(t, f.Dir+"/tree/disk/data"); got != "precious" {
			t.Errorf("the data is %q", got)
		}
	}
}
