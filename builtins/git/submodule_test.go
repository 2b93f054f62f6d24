package git

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// nested is a repository with a submodule that has one of its own, all under one directory.
func nested(t *testing.T) (outer, inner, innermost *work) {
	innermost = newWork(t)
	innermost.write("core", "core\n", 0o644).commit("the core")
	inner = newWork(t)
	inner.write("lib", "old\n", 0o644)
	inner.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", innermost.dir, "third/core")
	inner.commit("the library")
	outer = newWork(t)
	outer.write("main", "main\n", 0o644)
	outer.git("submodule", "--quiet", "add", "--name", "a name", inner.dir, "lib/inner")
	outer.commit("with a library")
	inner.write("lib", "new\n", 0o644).commit("not recorded")
	return outer, inner, innermost
}

func TestSubmodules(t *testing.T) {
	outer, inner, innermost := nested(t)
	f := fixture(t, nil).Grant("fs.read", outer.dir, inner.dir, innermost.dir)
	r := f.Run(checkoutRecipe(outer, "main"))
	r.Want(events.Succeeded)
	got := tree(t, filepath.Join(f.Dir, "release"))
	delete(got, releaseFile)
	delete(got, ".gitmodules")
	delete(got, "lib/inner/.gitmodules")
	wantTree(t, got, map[string]string{
		".": "drwxr-xr-x", "main": "-rw-r--r-- main\n", "lib": "drwxr-xr-x",
		"lib/inner": "drwxr-xr-x", "lib/inner/lib": "-rw-r--r-- old\n", "lib/inner/third": "drwxr-xr-x",
		"lib/inner/third/core": "drwxr-xr-x", "lib/inner/third/core/core": "-rw-r--r-- core\n",
	})
	f.Run(checkoutRecipe(outer, "main") + `test.equal(r.changed, False)`).Want(events.Succeeded)
	f.Preview(checkoutRecipe(outer, "main")).Want(events.NoChange)
}

// A submodule that git has fetched is read where git keeps it, and its URL plays no part.
func TestSubmodulesThatAreThere(t *testing.T) {
	outer, inner, innermost := nested(t)
	outer.git("submodule", "--quiet", "update", "--init", "--recursive")
	for _, w := range []*work{inner, innermost} {
		if err := os.RemoveAll(w.dir); err != nil {
			t.Fatal(err)
		}
	}
	f := fixture(t, outer)
	f.Run(checkoutRecipe(outer, "main")).Want(events.Succeeded)
	content, err := os.ReadFile(filepath.Join(f.Dir, "release", "lib/inner/third/core/core"))
	if err != nil || string(content) != "core\n" {
		t.Errorf("got %q, %v", content, err)
	}
}

func TestSubmodulesLeftOut(t *testing.T) {
	outer, _, _ := nested(t)
	f := fixture(t, outer)
	f.Run(fmt.Sprintf(`git.checkout(%q, "main", DIR + "/release", submodules = False)`, outer.dir)).Want(events.Succeeded)
	entries, err := os.ReadDir(filepath.Join(f.Dir, "release", "lib", "inner"))
	if err != nil || len(entries) != 0 {
		t.Errorf("got %v, %v", entries, err)
	}
}

func TestSubmodulesRefused(t *testing.T) {
	outer, inner, innermost := nested(t)
	if err := os.RemoveAll(filepath.Join(outer.dir, ".git", "modules")); err != nil {
		t.Fatal(err)
	}
	f := fixture(t, outer)
	f.Run(checkoutRecipe(outer, "main")).Want(events.DeniedRun).WantError("fs.read", inner.dir)

	f.Grant("fs.read", inner.dir, innermost.dir)
	outer.git("rm", "-q", "--cached", ".gitmodules")
	outer.git("commit", "-q", "-m", "forgot .gitmodules")
	f.Run(checkoutRecipe(outer, "main")).Want(events.Refused).WantError("the submodule lib/inner has no entry in .gitmodules")

	if err := os.RemoveAll(inner.dir); err != nil {
		t.Fatal(err)
	}
	f.Run(checkoutRecipe(outer, "main~1")).Want(events.Refused).WantError("no branch, tag or commit")
	f.Run(checkoutRecipe(outer, outer.git("rev-parse", "main~1"))).Want(events.Refused).WantError("submodule lib/inner", "there is no such directory")
}

// A relative URL is relative to the repository that has it.
func TestSubmoduleURLs(t *testing.T) {
	for _, test := range []struct{ parent, url, want string }{
		{"https://example.com/org/app.git", "../lib.git", "https://example.com/org/lib.git"},
		{"https://example.com/org/app", "./lib", "https://example.com/org/app/lib"},
		{"https://example.com/org/app.git", "../../other/lib.git", "https://example.com/other/lib.git"},
		{"https://example.com/org/app.git", "../../../../etc/lib", ""},
		{"https://example.com/org/app.git", "../..", ""},
		{"git@example.com:org/app.git", "../lib.git", "git@example.com:org/lib.git"},
		{"git@example.com:org/app.git", "../../../lib.git", ""},
		{"ssh://git@example.com:2222/org/app.git", "../lib.git", "ssh://git@example.com:2222/org/lib.git"},
		{"/srv/app.git", "../lib.git", "/srv/lib.git"},
		{"/srv/app", "./lib", "/srv/app/lib"},
		{"/srv/app", "/srv/lib", "/srv/lib"},
		{"/srv/app", "file:///srv/lib", "/srv/lib"},
		{"/srv/app", "https://example.com/lib", "https://example.com/lib"},
		{"/srv/app", "srv/lib", ""},
		{"https://example.com/app", "/srv/lib", ""},
		{"https://example.com/app", "file:///srv/lib", ""},
		{"https://example.com/app", "git@example.org:lib", "git@example.org:lib"},
		{"https://example.com/app", "-upload-pack=x:lib", ""},
		{"https://example.com/app", "ext::sh -c x", ""},
	} {
		parent, err := parseSource(test.parent, "/")
		if err != nil {
			t.Fatal(err)
		}
		got, err := parent.beside(test.url)
		if (err != nil) != (test.want == "") || err == nil && got.text != test.want {
			t.Errorf("%s in %s: got %q, %v, want %q", test.url, test.parent, got.text, err, test.want)
		}
	}
}
