package pkg

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// repository is one of apt, with the package infrarun-hello, signed with the key in key.asc; other.asc is another key.
//
//go:embed testdata/repository
var repository embed.FS

func serveRepository(t *testing.T) (uri string) {
	t.Helper()
	root, err := fs.Sub(repository, "testdata/repository")
	must(t, err)
	s := httptest.NewServer(http.FileServerFS(root))
	t.Cleanup(s.Close)
	return s.URL
}

// useKey puts one of the keys where the recipe reads it.
func useKey(t *testing.T, f *familytest.Fixture, name string) {
	t.Helper()
	key, err := repository.ReadFile("testdata/repository/" + name)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(f.Dir, "key.asc"), key, 0o644))
}

// testRepository installs a package from a repository that is added before.
func testRepository(t *testing.T) {
	smallWorld(t)
	noProxy(t)
	f := newFixture(t)
	uri := serveRepository(t)
	useKey(t, f, "key.asc")
	packagesBefore, etc := packages(t), familytest.Tree(t, "/etc")
	add := fmt.Sprintf(`pkg.add_repository("hello", %q, key = fs.read(DIR + "/key.asc"), suite = "stable", components = ["main"])`, uri)
	body := fmt.Sprintf(`
test.equal(%s.changed, True)
test.equal(%s.changed, False)
pkg.install(["infrarun-hello"], undo = "remove")
test.equal(pkg.installed("infrarun-hello"), "1.0")
`, add, add)
	r := f.Preview(recipe(strings.Replace(body, `("infrarun-hello"), "1.0")`, `("infrarun-hello"), "unknown")`, 1))).Want(events.WouldChange)
	if c := r.Changes()[0]; !strings.Contains(c.Diff, "+URIs: "+uri) || !strings.Contains(c.Diff, "+Signed-By: /etc/apt/keyrings/hello.asc") {
		t.Errorf("the preview shows %s", c.Diff)
	}
	familytest.SameTree(t, "/etc after the preview", familytest.Tree(t, "/etc"), etc)
	f.Run(recipe(body)).Want(events.Succeeded)
	if got := command(t, "infrarun-hello"); got != "hello\n" {
		t.Errorf("the package says %q", got)
	}
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "/etc after the rollback", familytest.Tree(t, "/etc"), etc)
	familytest.SameTree(t, "the packages after the rollback", packages(t), packagesBefore)

	useKey(t, f, "other.asc")
	f.Run(recipe(add + "\npkg.update()")).Want(events.RolledBack).WantError("exit status 100")
	familytest.SameTree(t, "/etc after a wrong key", familytest.Tree(t, "/etc"), etc)
}

// noProxy has apt ask the test's own server itself.
func noProxy(t *testing.T) {
	t.Helper()
	const path = "/etc/apt/apt.conf.d/99test"
	must(t, os.WriteFile(path, []byte("Acquire::http::Proxy::127.0.0.1 \"DIRECT\";\n"), 0o644))
	t.Cleanup(func() { must(t, os.Remove(path)) })
}

func testMirror(t *testing.T) {
	smallWorld(t)
	noProxy(t)
	// The lists are younger than Debian's sources, which come back now.
	must(t, os.Rename("/srv/debian.sources", debian))
	defer func() { must(t, os.Rename(debian, "/srv/debian.sources")) }()
	f := newFixture(t)
	etc := familytest.Tree(t, "/etc")
	before, err := os.ReadFile(debian)
	must(t, err)
	r := f.Preview(recipe(`
test.equal(pkg.update(max_age = "24h").changed, False)
test.equal(pkg.mirror("http://127.0.0.1:9/m/").files, ["/etc/apt/sources.list.d/debian.sources"])
test.equal(pkg.mirror("http://127.0.0.1:9/m").changed, False)
test.equal(pkg.update(max_age = "24h").changed, True)
`)).Want(events.WouldChange)
	if c := r.Changes()[1]; !strings.Contains(c.Diff, "+URIs: http://127.0.0.1:9/m/debian\n") {
		t.Errorf("the preview shows %s", c.Diff)
	}
	familytest.SameTree(t, "/etc after the preview", familytest.Tree(t, "/etc"), etc)
	// Nobody is there, so the update fails, and the sources must be put back.
	f.Run(recipe(`
pkg.mirror("http://127.0.0.1:9/m")
pkg.update()
`)).Want(events.RolledBack).WantError("127.0.0.1")
	familytest.SameTree(t, "/etc after a mirror that does not answer", familytest.Tree(t, "/etc"), etc)
	f.UndoTwice(recipe(`pkg.mirror("http://127.0.0.1:9/m", others = {})`))
	familytest.SameTree(t, "/etc after undoing twice", familytest.Tree(t, "/etc"), etc)
	if now, err := os.ReadFile(debian); !bytes.Equal(now, before) {
		t.Errorf("the sources are\n%s%v", now, err)
	}
	f.Run(recipe(`pkg.mirror("http://mirror.example")`)).Want(events.DeniedRun).WantError("mirror:mirror.example is not declared")
}
