package git

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestResolve(t *testing.T) {
	w, first, second := sample(t)
	w.git("tag", "light", first)
	w.git("tag", "-a", "nested", "-m", "of a tag", "v1.0.0")
	w.git("update-ref", "refs/pull/7/head", first)
	w.git("update-ref", "refs/remotes/origin/topic", first)
	f := fixture(t, w)
	for ref, want := range map[string]string{
		"":                 `("` + second + `", "main", "branch", "fix the gate")`,
		"HEAD":             `("` + second + `", "main", "branch", "fix the gate")`,
		"develop":          `("` + first + `", "develop", "branch", "first commit")`,
		"v1.0.0":           `("` + first + `", "v1.0.0", "tag", "first commit")`,
		"light":            `("` + first + `", "light", "tag", "first commit")`,
		"nested":           `("` + first + `", "nested", "tag", "first commit")`,
		first:              `("` + first + `", "", "commit", "first commit")`,
		first[:7]:          `("` + first + `", "", "commit", "first commit")`,
		first[:4]:          `("` + first + `", "", "commit", "first commit")`,
		"refs/heads/main":  `("` + second + `", "main", "branch", "fix the gate")`,
		"refs/tags/v1.0.0": `("` + first + `", "v1.0.0", "tag", "first commit")`,
		"refs/pull/7/head": `("` + first + `", "refs/pull/7/head", "commit", "first commit")`,
		"origin/topic":     `("` + first + `", "origin/topic", "branch", "first commit")`,
	} {
		f.Run(fmt.Sprintf("r = git.resolve(%q, %q)\ntest.equal((r.commit, r.ref, r.kind, r.subject), %s)\ntest.equal(r.short, r.commit[:7])",
			w.dir, ref, want)).Want(events.Succeeded)
	}
	w.git("checkout", "-q", "--detach", first)
	f.Run(fmt.Sprintf("r = git.resolve(%q)\ntest.equal((r.commit, r.kind), (%q, \"commit\"))", "file://"+w.dir, first)).Want(events.Succeeded)
}

func TestResolveRefuses(t *testing.T) {
	w, first, second := sample(t)
	w.git("tag", "develop", second)
	w.git("tag", "of-a-file", second+":README.md")
	f := fixture(t, w)
	for ref, want := range map[string]string{
		"mian":                  `did you mean "main"?`,
		"v1.0.O":                `did you mean "v1.0.0"?`,
		"nothing-like-it":       "it has develop, main, of-a-file, …",
		"develop":               "write refs/heads/develop or refs/tags/develop",
		"of-a-file":             "is a blob, not a commit",
		"refs/heads/nope":       `"refs/heads/nope"`,
		strings.Repeat("0", 39): "no branch, tag or commit",
		strings.Repeat("a", 40): "no branch, tag or commit",
		// The hash of a tree is no commit.
		w.git("rev-parse", first+"^{tree}"): "is a tree, not a commit",
	} {
		f.Run(fmt.Sprintf("git.resolve(%q, %q)", w.dir, ref)).Want(events.Refused).WantError(want)
	}
}

func TestShortHashesMustBeUnambiguous(t *testing.T) {
	w := newWork(t)
	seen := map[string]bool{}
	for i := 0; ; i++ {
		h := w.commit(fmt.Sprint("commit ", i))
		if seen[h[:1]] {
			prefix := h[:1]
			r, err := openRepo(w.dir, mustLocate(t, w.dir))
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := r.byPrefix(prefix); err == nil || !strings.Contains(err.Error(), "give more of the hash") {
				t.Errorf("%s: got %v", prefix, err)
			}
			return
		}
		seen[h[:1]] = true
	}
}

// However the parts of a repository are spread, the same commit is found.
func TestLayouts(t *testing.T) {
	w, first, second := sample(t)
	base := filepath.Dir(w.dir)
	dirs := map[string]string{"work tree": w.dir}
	add := func(name string, args ...string) {
		dirs[name] = filepath.Join(base, strings.ReplaceAll(name, " ", "-"))
		w.run(base, append(args, dirs[name])...)
	}
	add("bare", "clone", "-q", "--bare", w.dir)
	add("packed", "clone", "-q", "--no-local", w.dir)
	add("borrowing", "clone", "-q", "--shared", w.dir)
	w.run(dirs["borrowing"], "checkout", "-q", "-b", "own")
	add("borrowing twice", "clone", "-q", "--shared", dirs["borrowing"])
	add("linked", "-C", w.dir, "worktree", "add", "-q", "-b", "linked")
	add("shallow", "clone", "-q", "--depth", "1", "file://"+w.dir)
	add("sparse", "clone", "-q", "--sparse", w.dir)
	w.run(dirs["sparse"], "sparse-checkout", "set", "scripts")
	dirs["separate"] = filepath.Join(base, "separate")
	w.run(base, "clone", "-q", "--separate-git-dir", filepath.Join(base, "git-dir"), w.dir, dirs["separate"])
	for name, dir := range dirs {
		t.Run(name, func(t *testing.T) {
			f := fixture(t, nil).Grant("fs.read", base)
			f.Run(fmt.Sprintf(`
r = git.resolve(%q)
test.equal(r.commit, %q)
test.equal(git.read(%[1]q, r.commit, "README.md"), "hello again\n")
`, dir, second)).Want(events.Succeeded)
			if name == "shallow" {
				f.Run(fmt.Sprintf("test.equal([c.commit for c in git.log(%q, \"\", \"HEAD\")], [%q])", dir, second)).Want(events.Succeeded)
				f.Run(fmt.Sprintf("test.equal(git.describe(%q, \"HEAD\"), %q)", dir, second[:7])).Want(events.Succeeded)
				f.Run(fmt.Sprintf("git.resolve(%q, %q)", dir, first)).Want(events.Refused).WantError("no branch, tag or commit")
			}
		})
	}
}

// Where a repository leads out of the directory that was named, the recipe must have declared that, too.
func TestPartsNeedPermission(t *testing.T) {
	w, _, _ := sample(t)
	base := filepath.Dir(w.dir)
	for name, args := range map[string][]string{
		"borrowing": {"clone", "-q", "--shared", w.dir},
		"linked":    {"-C", w.dir, "worktree", "add", "-q", "-b", "linked"},
		"separate":  {"clone", "-q", "--separate-git-dir", filepath.Join(base, "git-dir"), w.dir},
	} {
		dir := filepath.Join(base, name)
		w.run(base, append(args, dir)...)
		fixture(t, nil).Grant("fs.read", dir).Run(fmt.Sprintf("git.resolve(%q)", dir)).Want(events.DeniedRun).WantError("fs.read", base)
	}
	linked := filepath.Join(base, "by-link")
	if err := os.MkdirAll(linked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(w.dir, ".git"), filepath.Join(linked, ".git")); err != nil {
		t.Fatal(err)
	}
	fixture(t, nil).Grant("fs.read", linked).Run(fmt.Sprintf("git.resolve(%q)", linked)).Want(events.DeniedRun).WantError("fs.read")
}

func TestNoRepository(t *testing.T) {
	w, _, _ := sample(t)
	base := filepath.Dir(w.dir)
	plain, file := filepath.Join(base, "plain"), filepath.Join(base, "file")
	pruned, empty, other := filepath.Join(base, "pruned"), filepath.Join(base, "empty"), filepath.Join(base, "sha256")
	if err := os.MkdirAll(plain, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	w.git("worktree", "add", "-q", "-b", "pruned", pruned)
	if err := os.RemoveAll(filepath.Join(w.dir, ".git", "worktrees")); err != nil {
		t.Fatal(err)
	}
	w.run(base, "init", "-q", "-b", "main", empty)
	w.run(base, "init", "-q", "--object-format=sha256", other)
	f := fixture(t, nil).Grant("fs.read", base)
	for dir, want := range map[string]string{
		filepath.Join(base, "nope"):     "there is no such directory",
		plain:                           "it has no .git and is not a bare repository",
		file:                            "it is a file",
		filepath.Join(w.dir, "scripts"): "it is inside of the repository " + w.dir,
		pruned:                          "there is no repository (any more)",
		empty:                           "has no commit on its default branch main",
		other:                           "objectformat = sha256, which is not supported",
		"":                              "the repository's URL is empty",
	} {
		f.Run(fmt.Sprintf("git.resolve(%q)", dir)).Want(events.Refused).WantError(want)
	}
}

// A repository that lacks an object says so, and which.
func TestDamagedLocalRepository(t *testing.T) {
	w, first, _ := sample(t)
	blob := w.git("rev-parse", first+":scripts/run.sh")
	if err := os.Remove(filepath.Join(w.dir, ".git", "objects", blob[:2], blob[2:])); err != nil {
		t.Fatal(err)
	}
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first)).Want(events.RolledBack).WantError("is damaged: it lacks the object " + blob)
	wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
}
