package filesys

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime"
)

// preview returns a view of what is predicted, and a real directory to predict in.
func preview(t *testing.T) (*View, *Overlay, string) {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	w := &runtime.World{}
	o := Predicted(w)
	return &View{over: o, world: w, state: filepath.Join(dir, "state")}, o, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put makes a real file.
func put(t *testing.T, path, content string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	must(t, os.WriteFile(path, []byte(content), 0o644))
}

// wantFile compares the content that a view has of a file; "-" means that there is none.
func wantFile(t *testing.T, v *View, path, want string) {
	t.Helper()
	data, err := v.ReadFile(path, 1<<20)
	if want == "-" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %q, %v; want that it does not exist", path, data, err)
		}
		return
	}
	if err != nil || string(data) != want {
		t.Errorf("%s: got %q, %v; want %q", path, data, err, want)
	}
}

func wantNames(t *testing.T, v *View, dir string, want ...string) {
	t.Helper()
	names, err := v.Names(dir)
	if err != nil || !slices.Equal(names, want) {
		t.Errorf("%s has %q, %v; want %q", dir, names, err, want)
	}
}

func TestLinksRealAndPredicted(t *testing.T) {
	v, o, dir := preview(t)
	put(t, dir+"/releases/1/app", "one")
	must(t, os.Symlink("releases/1", dir+"/current"))
	must(t, os.Symlink(dir+"/current", dir+"/outer")) // real, through one that is predicted anew
	wantFile(t, v, dir+"/outer/app", "one")

	must(t, o.Mkdir(dir+"/releases/2", 0o755, Keep, Keep))
	must(t, o.WriteFile(dir+"/releases/2/app", []byte("two"), 0o755, Keep, Keep))
	must(t, o.Symlink("releases/2", dir+"/current"))
	wantFile(t, v, dir+"/current/app", "two")
	wantFile(t, v, dir+"/outer/app", "two")
	wantFile(t, v, dir+"/releases/1/app", "one")

	must(t, o.WriteFile(dir+"/outer/conf", []byte("conf"), 0o600, Keep, Keep))
	wantFile(t, v, dir+"/releases/2/conf", "conf")
	wantNames(t, v, dir+"/current", "app", "conf")

	must(t, o.Symlink("../current/conf", dir+"/releases/up"))
	wantFile(t, v, dir+"/releases/up", "conf")
	must(t, o.Symlink("loop-b", dir+"/loop-a"))
	must(t, o.Symlink("loop-a", dir+"/loop-b"))
	if _, err := v.Stat(dir + "/loop-a"); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("a loop of links: %v", err)
	}
	if i, err := v.Lstat(dir + "/current"); err != nil || i.Kind != Link || i.Target != "releases/2" {
		t.Errorf("current is %+v, %v", i, err)
	}
	if got := v.Redirect(dir + "/current/app"); got != dir+"/releases/2/app" {
		t.Errorf("current/app redirects to %s", got)
	}
	if got := v.Redirect(dir + "/releases/1/app"); got != dir+"/releases/1/app" {
		t.Errorf("releases/1/app redirects to %s", got)
	}
}

func TestRemovedHidesWhatIsBelow(t *testing.T) {
	v, o, dir := preview(t)
	put(t, dir+"/tree/a/b", "b")
	put(t, dir+"/tree/c", "c")
	must(t, o.Remove(dir+"/tree/a"))
	must(t, o.Remove(dir+"/tree/nothing"))
	must(t, o.Remove(dir+"/no/such/directory"))
	wantFile(t, v, dir+"/tree/a/b", "-")
	wantNames(t, v, dir+"/tree", "c")
	must(t, o.Mkdir(dir+"/tree/a", 0o700, Keep, Keep))
	wantFile(t, v, dir+"/tree/a/b", "-")
	wantNames(t, v, dir+"/tree/a")
	wantNames(t, v, dir+"/tree", "a", "c")
	must(t, o.Remove(dir+"/tree"))
	wantFile(t, v, dir+"/tree/c", "-")
	if err := o.WriteFile(dir+"/tree/c", nil, 0o644, Keep, Keep); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file in a removed directory: %v", err)
	}
	if _, err := os.Stat(dir + "/tree/a/b"); err != nil {
		t.Errorf("the real file: %v", err)
	}
}

func TestRenameMovesLazily(t *testing.T) {
	v, o, dir := preview(t)
	put(t, dir+"/a/deep/real", "real")
	put(t, dir+"/a/gone", "gone")
	must(t, o.WriteFile(dir+"/a/deep/new", []byte("new"), 0o644, Keep, Keep))
	must(t, o.Remove(dir+"/a/gone"))
	must(t, o.Mkdir(dir+"/to", 0o755, Keep, Keep))
	must(t, o.Rename(dir+"/a", dir+"/to/b"))
	wantFile(t, v, dir+"/a/deep/real", "-")
	wantFile(t, v, dir+"/to/b/deep/real", "real")
	wantFile(t, v, dir+"/to/b/deep/new", "new")
	wantFile(t, v, dir+"/to/b/gone", "-")
	wantNames(t, v, dir+"/to/b", "deep")
	if !v.Predicted(dir+"/to/b/deep/real") || !v.Predicted(dir+"/a") || v.Predicted(dir) {
		t.Error("Predicted does not tell what is on the disk")
	}
	put(t, dir+"/a2", "x")
	must(t, o.Rename(dir+"/a2", dir+"/a"))
	wantFile(t, v, dir+"/a", "x")
	if err := o.Rename(dir+"/to", dir+"/to/b/c"); err == nil {
		t.Error("a directory was moved into itself")
	}
}

func TestCopyTreeIsIndependent(t *testing.T) {
	v, o, dir := preview(t)
	put(t, dir+"/a/real", "real")
	must(t, o.WriteFile(dir+"/a/new", []byte("new"), 0o644, Keep, Keep))
	must(t, o.CopyTree(dir+"/a", dir+"/b"))
	must(t, o.WriteFile(dir+"/a/new", []byte("changed"), 0o644, Keep, Keep))
	must(t, o.Remove(dir+"/a/real"))
	must(t, o.Chmod(dir+"/b/real", 0o600))
	wantFile(t, v, dir+"/b/new", "new")
	wantFile(t, v, dir+"/b/real", "real")
	must(t, o.CopyFile(dir+"/b/real", dir+"/c", 0o711))
	wantFile(t, v, dir+"/c", "real")
	if i, err := v.Stat(dir + "/c"); err != nil || i.Mode != 0o711 {
		t.Errorf("the copy has mode %v, %v", i.Mode, err)
	}
}

func TestMountIsReadLazily(t *testing.T) {
	v, o, dir := preview(t)
	tree := fstest.MapFS{
		"cmd/main.go":   {Data: []byte("package main"), Mode: 0o644},
		"scripts/start": {Data: []byte("#!/bin/sh"), Mode: 0o755},
		"latest":        {Data: []byte("scripts/start"), Mode: fs.ModeSymlink | 0o777},
	}
	must(t, o.Mount(dir+"/release", tree))
	must(t, o.WriteFile(dir+"/release/cmd/extra.go", []byte("extra"), 0o644, Keep, Keep))
	must(t, o.Remove(dir+"/release/scripts/stop"))
	wantFile(t, v, dir+"/release/cmd/main.go", "package main")
	wantFile(t, v, dir+"/release/latest", "#!/bin/sh")
	wantNames(t, v, dir+"/release/cmd", "extra.go", "main.go")
	if i, err := v.Stat(dir + "/release/scripts/start"); err != nil || i.Mode != 0o755 || i.UID != os.Geteuid() {
		t.Errorf("the script is %+v, %v", i, err)
	}
	must(t, o.Rename(dir+"/release", dir+"/r2"))
	must(t, o.Symlink("r2", dir+"/current"))
	found, err := v.Glob(t.Context(), dir+"/current/**/*.go")
	must(t, err)
	if want := []string{dir + "/current/cmd/extra.go", dir + "/current/cmd/main.go"}; !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
}

func TestMetaAndOwners(t *testing.T) {
	v, o, dir := preview(t)
	put(t, dir+"/file", "x")
	must(t, o.Chown(dir+"/file", 7, Keep))
	must(t, o.Chmod(dir+"/file", 0o600|fs.ModeSetgid))
	must(t, o.WriteFile(dir+"/file", []byte("yy"), 0o640, Keep, 8))
	i, err := v.Lstat(dir + "/file")
	must(t, err)
	if i.UID != 7 || i.GID != 8 || i.Mode != 0o640 || i.Size != 2 || i.Path != dir+"/file" {
		t.Errorf("the file is %+v", i)
	}
	if err := o.Chmod(dir+"/nothing", 0o600); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("chmod of nothing: %v", err)
	}
	must(t, o.MkdirAll(dir+"/x/y/z", 0o700, Keep, Keep))
	if i, err := v.Stat(dir + "/x/y/z"); err != nil || i.Mode != 0o700 || i.Kind != Dir {
		t.Errorf("the directory is %+v, %v", i, err)
	}
	missing, err := v.MissingDirs(dir + "/x/q/r")
	if want := []string{dir + "/x/q", dir + "/x/q/r"}; err != nil || !slices.Equal(missing, want) {
		t.Errorf("missing are %q, %v", missing, err)
	}
}

func TestGlob(t *testing.T) {
	v, o, dir := preview(t)
	for _, name := range []string{"a.service", "b.service", "c.socket", ".hidden.service", "sub/d.service", "sub/deep/e.service"} {
		put(t, dir+"/"+name, "")
	}
	must(t, o.Remove(dir+"/b.service"))
	must(t, o.WriteFile(dir+"/z.service", nil, 0o644, Keep, Keep))
	for pattern, want := range map[string][]string{
		"/*.service":     {"/a.service", "/z.service"},
		"/.*.service":    {"/.hidden.service"},
		"/[a-c].s*":      {"/a.service", "/c.socket"},
		"/**/*.service":  {"/a.service", "/sub/d.service", "/sub/deep/e.service", "/z.service"},
		"/sub/**":        {"/sub/d.service", "/sub/deep", "/sub/deep/e.service"},
		"/*/?.service":   {"/sub/d.service"},
		"/a.service":     {"/a.service"},
		"/nothing/*":     nil,
		"/a.service/*":   nil,
		"/b.service":     nil,
		"/*/deep/*.s*ce": {"/sub/deep/e.service"},
	} {
		found, err := v.Glob(t.Context(), dir+pattern)
		for i := range found {
			found[i] = strings.TrimPrefix(found[i], dir)
		}
		if err != nil || !slices.Equal(found, want) {
			t.Errorf("%s finds %q, %v; want %q", pattern, found, err, want)
		}
	}
}
