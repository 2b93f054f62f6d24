package git

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime/events"
)

// A preview shows the files of the commit where a run would put them.
func TestTreeFS(t *testing.T) {
	w, first, _ := sample(t)
	r, err := openRepo(w.dir, mustLocate(t, w.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	snap := &snapshot{root: &entry{mode: os.ModeDir | 0o755}, submodules: map[string]string{}}
	l := loader{ctx: t.Context(), snap: snap, trees: map[hash][]treeEntry{}}
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
