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

// What is there when the undo comes: nothing (also if it was carried out before), an interrupted checkout, a
// finished one.
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

// A rollback can bring a release back.
func TestCheckoutInRollback(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(fmt.Sprintf("rollback.push(git.checkout, %q, %q, DIR + \"/old\")\nfail(\"no\")", w.dir, first)).Want(events.RolledBack)
	if _, err := os.Stat(filepath.Join(f.Dir, "old", "README.md")); err != nil {
		t.Error(err)
	}
}
