package git

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// mktree makes a tree that git itself would not.
func (w *work) mktree(entries string) string {
	w.t.Helper()
	c := exec.Command("git", "hash-object", "-t", "tree", "-w", "--stdin", "--literally")
	c.Dir, c.Stdin = w.dir, strings.NewReader(entries)
	out, err := c.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

func raw(mode, name, h string) string {
	id := hashOf(h)
	return mode + " " + name + "\x00" + string(id[:])
}

// Whatever names a tree has, nothing is written outside of the release, nor through a link in it.
func TestHostileTrees(t *testing.T) {
	w, first, _ := sample(t)
	blob := w.git("rev-parse", first+":README.md")
	file := raw("100644", "x", blob)
	sub := w.mktree(file)
	link := func(target string) string {
		c := exec.Command("git", "hash-object", "-w", "--stdin")
		c.Dir, c.Stdin = w.dir, strings.NewReader(target)
		out, err := c.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	for name, test := range map[string]struct{ entries, want string }{
		"dot dot":       {raw("40000", "..", sub), "would lead elsewhere"},
		"dot":           {raw("40000", ".", sub), "would lead elsewhere"},
		"slash":         {raw("100644", "../x", blob), "would lead elsewhere"},
		"absolute":      {raw("100644", "/etc/x", blob), "would lead elsewhere"},
		"no name":       {raw("100644", "", blob), "would lead elsewhere"},
		"git":           {raw("40000", ".GIT", sub), "taken for a repository"},
		"twice":         {raw("120000", "x", link("..")) + raw("40000", "x", sub), "stands twice"},
		"marker":        {raw("100644", releaseFile, blob), "the name of what git.checkout writes"},
		"odd mode":      {raw("60000", "x", blob), "which git does not know"},
		"no mode":       {"x\x00" + strings.Repeat("a", 20), "has no mode"},
		"cut off":       {file[:len(file)-1], "is cut off"},
		"empty link":    {raw("120000", "x", link("")), `points to ""`},
		"NUL in a link": {raw("120000", "x", link("a\x00b")), "points to"},
	} {
		t.Run(name, func(t *testing.T) {
			commit := w.git("commit-tree", w.mktree(test.entries), "-m", name)
			f := fixture(t, w)
			r := f.Run(checkoutRecipe(w, commit))
			if r.Outcome.Result != events.Refused {
				r.Want(events.RolledBack)
			}
			r.WantError(test.want)
			wantTree(t, tree(t, f.Dir), map[string]string{".": "drwxr-xr-x"})
		})
	}
}

// A few objects that describe more files than any disk has.
func TestTreeBomb(t *testing.T) {
	w, first, _ := sample(t)
	at := w.git("rev-parse", first+":README.md")
	mode := "100644"
	for range 10 {
		var entries strings.Builder
		for i := range 10 {
			entries.WriteString(raw(mode, fmt.Sprint("d", i), at))
		}
		at, mode = w.mktree(entries.String()), "40000"
	}
	f := fixture(t, w)
	f.Preview(checkoutRecipe(w, w.git("commit-tree", at, "-m", "bomb"))).Want(events.Refused).WantError("more than 500000 entries")
}

func TestParseCommit(t *testing.T) {
	id, tree := hashOf(strings.Repeat("1", 40)), strings.Repeat("2", 40)
	c, err := parseCommit(id, []byte("tree "+tree+"\nparent "+strings.Repeat("3", 40)+"\nauthor Jürgen <j@x> 1700000000 -0330\n"+
		"committer Bob <b> 1700000100 +0000\ngpgsig -----BEGIN\n tree nonsense\n -----END\n\nfix\nthe gate\n\nbecause\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(c.tree, len(c.parents), c.author, c.authored.Format("2006-01-02T15:04:05Z07:00"), c.committed.Unix(), c.subject)
	if want := fmt.Sprintln(tree, 1, "Jürgen <j@x>", "2023-11-14T18:43:20-03:30", 1700000100, "fix the gate"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, bad := range []string{"", "tree x\n\n", "author a\n\n", "tree " + tree + "\nparent 12\n\n"} {
		if _, err := parseCommit(id, []byte(bad)); err == nil {
			t.Errorf("%q was read", bad)
		}
	}
}

func FuzzObjects(f *testing.F) {
	f.Add([]byte("tree " + strings.Repeat("2", 40) + "\nauthor A <a> 1 +0100\n\nsubject\n"))
	f.Add([]byte("object " + strings.Repeat("2", 40) + "\ntype commit\ntagger A <a> 1 +0100\n\nmessage\n"))
	f.Add([]byte(raw("100644", "x", strings.Repeat("1", 40)) + raw("40000", "y", strings.Repeat("2", 40))))
	f.Fuzz(func(t *testing.T, data []byte) {
		if c, err := parseCommit(hash{}, data); err == nil && (c.tree.IsZero() || strings.Contains(c.subject, "\n")) {
			t.Errorf("tree %s, subject %q", c.tree, c.subject)
		}
		if target, _, _, err := parseTag(data); err == nil && target.IsZero() {
			t.Error("a tag of nothing")
		}
		entries, err := parseTree(hash{}, data)
		if err != nil {
			return
		}
		for _, e := range entries {
			if e.name == "" || e.name == ".." || strings.Contains(e.name, "/") || strings.EqualFold(e.name, ".git") {
				t.Errorf("the name %q was accepted", e.name)
			}
		}
	})
}

func FuzzSmallFiles(f *testing.F) {
	f.Add([]byte("gitdir: ../x\n"))
	f.Add([]byte("/srv/objects\n# no\n../objects\n"))
	f.Add([]byte(`{"url": "/srv/app", "commit": "` + strings.Repeat("1", 40) + `", "files": 2}`))
	f.Add([]byte("[submodule \"a\"]\n\tpath = a\n\turl = ../a\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if target, err := parseGitFile(data); err == nil && strings.TrimSpace(target) == "" {
			t.Error("a .git file that leads nowhere")
		}
		for _, dir := range parseAlternates(data) {
			if dir == "" || strings.ContainsAny(dir, "\n\x00") {
				t.Errorf("objects in %q", dir)
			}
		}
		if r, err := parseRelease(data); err == nil && len(r.Commit) != 40 {
			t.Errorf("the commit %q", r.Commit)
		}
		modules, err := parseModules(data, source{path: "/srv/app", text: "/srv/app"})
		if err != nil {
			return
		}
		for path, m := range modules {
			if path == "" || strings.Contains("/"+m.Name+"/", "/../") {
				t.Errorf("the submodule %q at %q", m.Name, path)
			}
		}
	})
}
