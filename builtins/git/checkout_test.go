package git

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func checkoutRecipe(w *work, commit string) string {
	return fmt.Sprintf("r = git.checkout(%q, %q, DIR + \"/release\")\n", w.dir, commit)
}

// release is what a checkout of the first commit of sample is to look like.
func firstRelease(w *work, commit string) map[string]string {
	marker, _ := release{URL: w.dir, Commit: commit, Files: 5}.encode()
	return map[string]string{
		".": "drwxr-xr-x", "deep": "drwxr-xr-x", "deep/er": "drwxr-xr-x", "scripts": "drwxr-xr-x",
		"README.md": "-rw-r--r-- hello\n", "scripts/run.sh": "-rwxr-xr-x #!/bin/sh\n", "empty": "-rw-r--r-- ",
		"deep/er/file": "-rw-r--r-- " + strings.Repeat("x", 70_000), "deep/link": "Lrwxrwxrwx -> ../README.md",
		releaseFile: "-rw-r--r-- " + string(marker),
	}
}

func TestCheckout(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	defer syscall.Umask(syscall.Umask(0o077)) // modes do not depend on it
	r := f.Run(checkoutRecipe(w, "v1.0.0") + `
test.equal((r.path, r.commit, r.files, r.changed), (DIR + "/release", "` + first + `", 5, True))`)
	r.Want(events.Succeeded)
	wantTree(t, tree(t, filepath.Join(f.Dir, "release")), firstRelease(w, first))
	want := fmt.Sprintf("done git.checkout: check out v1.0.0 (%s first commit) into %s/release, 5 files", first[:7], f.Dir)
	if got := r.Summaries(); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}

	again := f.Run(checkoutRecipe(w, first) + `test.equal(r.changed, False)`)
	again.Want(events.Succeeded)
	want = fmt.Sprintf("unchanged git.checkout: develop (%s first commit) is there, 5 files", first[:7])
	if got := again.Summaries(); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
	f.Preview(checkoutRecipe(w, first)).Want(events.NoChange)
}

func TestCheckoutRollback(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first) + `fail("no")`).Want(events.RolledBack)
	wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})

	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
	// What a build adds goes with the release.
	if err := os.WriteFile(filepath.Join(f.Dir, "release", "built"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	f.Rollback().Want(events.Restored)
	wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
}

// What is there when the undo comes: nothing, an interrupted checkout, a finished one. It is carried out twice.
func TestCheckoutUndoLooks(t *testing.T) {
	w, first, _ := sample(t)
	for name, prepare := range map[string]func(t *testing.T, temp, dest string){
		"never happened": func(*testing.T, string, string) {},
		"interrupted": func(t *testing.T, temp, _ string) {
			if err := os.CopyFS(temp, os.DirFS(filepath.Join(w.dir, "scripts"))); err != nil {
				t.Fatal(err)
			}
		},
		"finished": func(t *testing.T, _, dest string) {
			if err := os.CopyFS(dest, os.DirFS(filepath.Join(w.dir, "scripts"))); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t, w)
			f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
			args := undoRecord(t, f.State.Dir())
			dest := filepath.Join(f.Dir, "release")
			if err := os.RemoveAll(dest); err != nil {
				t.Fatal(err)
			}
			prepare(t, string(args.Temp), dest)
			f.ForceRollback().Want(events.Restored)
			wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
		})
	}
}

// undoRecord reads the arguments of the undo out of the one journal there is.
func undoRecord(t *testing.T, state string) undoArgs {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(state, "runs", "*", "journal"))
	if err != nil || len(journals) != 1 {
		t.Fatalf("journals: %q, %v", journals, err)
	}
	data, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(data), `"kind":"git.checkout","args":`)
	if !ok {
		t.Fatal("the journal has no undo of a checkout")
	}
	var args undoArgs
	if err := json.NewDecoder(strings.NewReader(rest)).Decode(&args); err != nil {
		t.Fatal(err)
	}
	return args
}

func TestCheckoutDrift(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
	if err := os.Remove(filepath.Join(f.Dir, "release", releaseFile)); err != nil {
		t.Fatal(err)
	}
	f.Rollback().Want(events.Refused).WantError("no release any more")
}

func TestCheckoutRefuses(t *testing.T) {
	w, first, second := sample(t)
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dest string) {
			if err := os.WriteFile(filepath.Join(dest, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		spoil  func(t *testing.T, dest string)
		commit string
		want   string
	}{
		"other commit":    {commit: second, want: "holds the commit " + first[:7] + ", not " + second[:7]},
		"changed":         {spoil: write("README.md", "hullo\n"), want: "README.md has another content"},
		"longer":          {spoil: write("README.md", "hello, hello\n"), want: "README.md has 13 bytes, not 6"},
		"other release":   {spoil: write(releaseFile, "{}"), want: "is no commit"},
		"unreadable mark": {spoil: write(releaseFile, "["), want: releaseFile},
		"no release":      {spoil: remove(releaseFile), want: "was not made by git.checkout"},
		"missing":         {spoil: remove("scripts/run.sh"), want: "scripts/run.sh is missing"},
		"other link": {want: "the link deep/link leads to README.md", spoil: func(t *testing.T, dest string) {
			remove("deep/link")(t, dest)
			if err := os.Symlink("README.md", filepath.Join(dest, "deep/link")); err != nil {
				t.Fatal(err)
			}
		}},
		"not executable": {want: "scripts/run.sh is not executable", spoil: func(t *testing.T, dest string) {
			if err := os.Chmod(filepath.Join(dest, "scripts/run.sh"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		"a file": {want: "is a file", spoil: func(t *testing.T, dest string) {
			if err := os.RemoveAll(dest); err != nil {
				t.Fatal(err)
			}
			write("", "")(t, dest)
		}},
		"unknown commit": {commit: "mian", want: "did you mean \"main\"?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t, w)
			f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
			dest := filepath.Join(f.Dir, "release")
			if test.spoil != nil {
				test.spoil(t, dest)
			}
			if test.commit == "" {
				test.commit = first
			}
			before := tree(t, f.Dir)
			f.Preview(checkoutRecipe(w, test.commit)).Want(events.Refused).WantError(test.want)
			f.Run(checkoutRecipe(w, test.commit)).Want(events.Refused).WantError(test.want)
			wantTree(t, tree(t, f.Dir), before)
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dest string) {
		if err := os.Remove(filepath.Join(dest, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// Later steps may change modes and add files, and a copy that lost its times is still the same.
func TestCheckoutTolerates(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
	dest := filepath.Join(f.Dir, "release")
	if err := os.WriteFile(filepath.Join(dest, "built"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dest, "README.md"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dest, "README.md"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
}

func TestCheckoutNeedsItsParent(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(fmt.Sprintf(`git.checkout(%q, %q, DIR + "/a/b")`, w.dir, first)).Want(events.Refused).WantError("make it with fs.mkdir")
}

func TestCheckoutNeedsPermission(t *testing.T) {
	w, first, _ := sample(t)
	fixture(t, w).Run(fmt.Sprintf(`git.checkout(%q, %q, "/elsewhere")`, w.dir, first)).Want(events.DeniedRun).WantError("fs.write")
	fixture(t, nil).Run(checkoutRecipe(w, first)).Want(events.DeniedRun).WantError("fs.read", w.dir)
}

// A run that is cancelled in the middle leaves nothing behind.
func TestCheckoutCancelled(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := cancelOn{events.ChangeStarted, func() { cancel(runtime.ErrInterrupted) }}
	f.RunContext(ctx, checkoutRecipe(w, first), stop).Want(events.Interrupted)
	wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
}

// cancelOn is a sink that cancels when it sees an event.
type cancelOn struct {
	kind   events.Kind
	cancel func()
}

func (c cancelOn) Handle(e events.Event) {
	if e.Kind == c.kind {
		c.cancel()
	}
}

func (cancelOn) Close() error { return nil }

// A preview shows the files of the commit where a run would put them.
func TestTreeFS(t *testing.T) {
	w, first, _ := sample(t)
	r, err := openRepo(w.dir, mustLocate(t, w.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	snap := &snapshot{root: &entry{mode: os.ModeDir | 0o755}, submodules: map[string]string{}}
	l := loader{ctx: t.Context(), snap: snap}
	if err := l.load(snap.root, r, source{path: w.dir}, hashOf(first), "", ""); err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(treeFS{snap}, "README.md", "deep/er/file", "deep/link", "scripts/run.sh", "empty"); err != nil {
		t.Fatal(err)
	}
	// What is checked out is what the preview showed.
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, treeFS{snap}); err != nil {
		t.Fatal(err)
	}
	shown, made := tree(t, dir), tree(t, filepath.Join(f.Dir, "release"))
	delete(made, releaseFile)
	wantTree(t, shown, made)
}

func mustLocate(t *testing.T, dir string) location {
	t.Helper()
	at, err := locate(dir)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestCheckoutInPreview(t *testing.T) {
	w, first, second := sample(t)
	t.Setenv("PATH", t.TempDir()) // no git, nor anything else
	f := fixture(t, w)
	repo, dir := tree(t, w.dir), tree(t, f.Dir)
	// The second call finds what the first one would have made.
	r := f.Preview(checkoutRecipe(w, first) + checkoutRecipe(w, first))
	r.Want(events.WouldChange)
	if got := r.Summaries(); len(got) != 2 || !strings.HasPrefix(got[0], "would ") || !strings.HasPrefix(got[1], "unchanged ") {
		t.Errorf("got %q", got)
	}
	f.Preview(checkoutRecipe(w, first) + checkoutRecipe(w, second)).Want(events.Refused).WantError("holds the commit")
	wantTree(t, tree(t, w.dir), repo)
	wantTree(t, tree(t, f.Dir), dir)
}
