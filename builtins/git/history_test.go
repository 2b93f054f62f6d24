package git

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// history makes a repository whose branches fork and merge at random, with tags here and there.
func history(t *testing.T, seed uint64) (w *work, commits []string) {
	w = newWork(t)
	rnd := rand.New(rand.NewPCG(seed, 1))
	empty := w.git("hash-object", "-t", "tree", "-w", "/dev/null")
	for i := range 40 {
		w.now += 60 * rnd.IntN(3) // some have the same time
		args := []string{"commit-tree", empty, "-m", fmt.Sprint("commit ", i)}
		parents := map[string]bool{}
		for range min(len(commits), 1+rnd.IntN(3)/2) {
			parents[commits[max(0, len(commits)-1-rnd.IntN(6))]] = true
		}
		for _, p := range slices.Sorted(maps.Keys(parents)) {
			args = append(args, "-p", p)
		}
		commits = append(commits, w.git(args...))
		switch rnd.IntN(10) {
		case 0:
			w.git("tag", fmt.Sprint("light", i), commits[i])
		case 1:
			w.git("tag", "-a", fmt.Sprint("v", i), "-m", "tagged", commits[i])
		}
	}
	w.git("update-ref", "refs/heads/main", commits[len(commits)-1])
	w.git("gc", "-q")
	return w, commits
}

// What git itself says is what is wanted, whatever the history looks like.
func TestHistoryAgreesWithGit(t *testing.T) {
	for seed := range uint64(4) {
		w, commits := history(t, seed)
		r, err := openRepo(w.dir, mustLocate(t, w.dir))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		for i := 0; i < len(commits); i += 3 {
			name, err := r.describe(t.Context(), hashOf(commits[i]))
			if want := w.git("describe", "--tags", "--always", "--abbrev=7", commits[i]); err != nil || name != want {
				t.Errorf("seed %d: describe %s: got %q, %v; git says %q", seed, commits[i], name, err, want)
			}
			old := commits[(i*7+5)%len(commits)]
			list, err := r.between(t.Context(), hashOf(old), hashOf(commits[i]), 1000)
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]bool{}
			for _, c := range list {
				got[c.hash.String()] = true
			}
			want := strings.Fields(w.git("rev-list", old+".."+commits[i]))
			for _, h := range want {
				if !got[h] {
					t.Errorf("seed %d: %s..%s lacks %s", seed, old, commits[i], h)
				}
			}
			if len(got) != len(want) || len(list) != len(want) {
				t.Errorf("seed %d: %s..%s has %d commits, git says %d", seed, old, commits[i], len(list), len(want))
			}
		}
	}
}

func TestLog(t *testing.T) {
	w, first, second := sample(t)
	f := fixture(t, w)
	f.Run(fmt.Sprintf(`
url = %q
list = git.log(url, "v1.0.0", "main")
test.equal([(c.commit, c.short, c.author, c.date, c.subject) for c in list],
    [(%q, %q, "Ada <ada@example.com>", "2023-11-14T23:15:20+01:00", "fix the gate")])
test.equal([c.commit for c in git.log(url, "", "main")], [%[2]q, %[4]q])
test.equal([c.commit for c in git.log(url, "", "main", limit = 1)], [%[2]q])
test.equal(git.log(url, "main", "v1.0.0"), [])
test.equal(git.log(url, "main", "main"), [])
test.equal(git.describe(url, "main"), "v1.0.0-1-g%[3]s")
test.equal(git.describe(url, "v1.0.0"), "v1.0.0")
`, w.dir, second, second[:7], first)).Want(events.Succeeded)
	f.Run(fmt.Sprintf(`git.log(%q, "", "main", limit = 0)`, w.dir)).Want(events.Refused).WantError("limit must be at least 1")
	f.Run(fmt.Sprintf(`git.log(%q, %q, "main")`, w.dir, strings.Repeat("b", 40))).Want(events.Refused).WantError("no branch, tag or commit")
}

func TestChangedAgreesWithGit(t *testing.T) {
	w, first, second := sample(t)
	w.git("rm", "-q", "-r", "scripts", "empty")
	w.write("scripts", "a file now\n", 0o644).write("empty/not", "a directory now\n", 0o644)
	w.git("mv", "deep/er/file", "deep/moved")
	third := w.commit("move things about")
	w.git("update-index", "--chmod=+x", "README.md")
	w.git("commit", "-q", "-m", "only a mode")
	fourth := w.git("rev-parse", "HEAD")
	r, err := openRepo(w.dir, mustLocate(t, w.dir))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ends := []string{first, second, third, fourth}
	for _, old := range ends {
		for _, new := range ends {
			got, err := r.changed(t.Context(), hashOf(old), hashOf(new))
			want := w.git("diff", "--name-only", "--no-renames", old, new)
			if err != nil || strings.Join(got, "\n") != want {
				t.Errorf("%s %s: got %q, %v, want %q", old, new, got, err, want)
			}
		}
	}
	f := fixture(t, w)
	f.Run(fmt.Sprintf(`
test.equal(git.changed(%q, "", %q), ["README.md", "deep/er/file", "deep/link", "empty", "scripts/run.sh"])
test.equal(git.changed(%[1]q, %[2]q, %[3]q), ["README.md"])
`, w.dir, first, second)).Want(events.Succeeded)
}

func TestRead(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(fmt.Sprintf(`
url = %q
test.equal(git.read(url, "v1.0.0", "README.md"), "hello\n")
test.equal(git.read(url, "main", "/README.md"), "hello again\n")
test.equal(git.read(url, "main", "empty"), "")
test.equal(len(git.read(url, "main", "deep/er/file")), 70000)
test.equal(git.read(url, "main", "nope", default = "x"), "x")
test.equal(git.read(url, "main", "README.md/below", default = "x"), "x")
`, w.dir)).Want(events.Succeeded)
	for path, want := range map[string]string{
		"REDME.md":  "has no file REDME.md at " + first[:7],
		"deep":      "deep is a directory",
		"deep/link": "is a symbolic link",
		"../x":      "want the path of a file",
		"":          "want the path of a file",
	} {
		f.Run(fmt.Sprintf("git.read(%q, %q, %q)", w.dir, first, path)).Want(events.Refused).WantError(want)
	}
}
