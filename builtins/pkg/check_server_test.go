package pkg

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// sources writes files of sources of apt, name to line, which are gone when the test ends.
func sources(t *testing.T, files map[string]string) {
	t.Helper()
	for name, line := range files {
		path := "/etc/apt/sources.list.d/" + name + ".list"
		must(t, os.WriteFile(path, []byte(line+"\n"), 0o644))
		t.Cleanup(func() { must(t, os.Remove(path)) })
	}
}

// requested serves the small world, and what is below /unsigned without a signature, and notes the paths that are asked for.
func requested(t *testing.T) (uri string, paths func() string) {
	t.Helper()
	var mu sync.Mutex
	var seen []string
	small := http.FileServer(http.Dir(smallDir))
	mux := http.NewServeMux()
	mux.Handle("/", small)
	mux.Handle("/unsigned/", http.StripPrefix("/unsigned", small))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		seen = append(seen, r.URL.Path)
		mu.Unlock()
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, func() string {
		mu.Lock()
		defer mu.Unlock()
		all := strings.Join(seen, " ")
		seen = nil
		return all
	}
}

// ofPackages describes all that apt has of its own.
func ofPackages(t *testing.T) string {
	t.Helper()
	all := ""
	for _, dir := range []string{"/etc/apt", "/var/lib/apt", "/var/cache/apt", "/var/log/apt", "/var/lib/dpkg"} {
		all += familytest.Tree(t, dir)
	}
	return all
}

// testCheck checks with a world that is well, while others hold the locks and hooks lie in wait.
func testCheck(t *testing.T) {
	smallWorld(t)
	f := newFixture(t)
	must(t, os.WriteFile("/etc/apt/apt.conf.d/99hook", []byte(`APT::Update::Post-Invoke { "touch /srv/hooked"; };`), 0o644))
	t.Cleanup(func() { must(t, os.Remove("/etc/apt/apt.conf.d/99hook")) })
	for _, path := range []string{"/var/lib/apt/lists/lock", "/var/lib/dpkg/lock-frontend"} {
		_, release := hold(t, path)
		defer release()
	}
	before := ofPackages(t)
	const well = `
test.equal(pkg.check(["jq", "tree=1.*", "bash"]), [])
test.equal(pkg.check(["nosuch", "jq=99", "tree"]), ["Unable to locate package nosuch", "Version '99' for 'jq' was not found"])
`
	must(t, os.Rename(smallDir, smallDir+".away"))
	f.Preview(recipe(well)).Want(events.NoChange) // with the lists that are there
	must(t, os.Rename(smallDir+".away", smallDir))
	familytest.SameTree(t, "after a check with young lists", ofPackages(t), before)

	noLists(t)
	before = ofPackages(t)
	f.Preview(recipe(well)).Want(events.NoChange)
	f.Run(recipe(well)).Want(events.Succeeded)
	familytest.SameTree(t, "after a check without lists", ofPackages(t), before)
	if _, err := os.Stat("/srv/hooked"); err == nil {
		t.Error("it has run what others want to be run after an update")
	}
	if left, _ := filepath.Glob(f.State.Cache() + "/pkg-check/*"); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// testCheckSources checks with sources that fail, each in its own way.
func testCheckSources(t *testing.T) {
	smallWorld(t)
	noProxy(t)
	f := newFixture(t)
	uri, _ := requested(t)
	expect := func(body string) {
		before := ofPackages(t)
		f.Preview(recipe(body)).Want(events.NoChange)
		familytest.SameTree(t, "after a check of bad sources", ofPackages(t), before)
	}
	sources(t, map[string]string{"bad": "deb " + uri + "/gone stable main\ndeb " + uri + "/unsigned ./"})
	expect(fmt.Sprintf(`
gone, unsigned = sorted(pkg.check(["tree"]))
test.contains(gone, "source /etc/apt/sources.list.d/bad.list:1: %[1]s/gone stable Release: 404")
test.contains(unsigned, "source /etc/apt/sources.list.d/bad.list:2: The repository '%[1]s/unsigned ./ Release' is not signed.")
`, uri))
	// Apart from those: apt no longer asks a host of which one port was closed.
	must(t, os.WriteFile("/etc/apt/sources.list.d/bad.list", []byte("# nobody is there\ndeb http://127.0.0.1:9/none x main\n"), 0o644))
	expect(`
problems = pkg.check(["tree"])
test.equal(len(problems), 1)
test.contains(problems[0], "source /etc/apt/sources.list.d/bad.list:2: http://127.0.0.1:9/none x InRelease: ")
test.contains(problems[0], "Connection refused")
test.equal(pkg.check(["bash", "dpkg"]), [])
`)

	// With another mirror in a preview, these sources say nothing of what the run will find.
	useKey(t, f, "key.asc")
	r := f.Preview(recipe(fmt.Sprintf(`
pkg.add_repository("hello", %q, key = fs.read(DIR + "/key.asc"), suite = "stable", components = ["main"])
test.equal(pkg.check(["infrarun-hello"]), [])
`, uri))).Want(events.WouldChange)
	if r.Outcome.Assumed != 1 || !said(r, "infrarun-hello can be installed: it will be from other sources of packages, with the new /etc/apt/sources.list.d/hello.sources") {
		t.Errorf("%d assumptions", r.Outcome.Assumed)
	}

	sources(t, map[string]string{"malformed": "deb nothing"})
	f.Preview(recipe(`test.equal(pkg.check(["tree"]), ["Malformed entry 1 in list file /etc/apt/sources.list.d/malformed.list (Suite)"])`)).
		Want(events.NoChange)
}

// testCheckFetches looks at what is fetched: of lists that are old only what has changed, and nothing for ever.
func testCheckFetches(t *testing.T) {
	smallWorld(t)
	noProxy(t)
	uri, paths := requested(t)
	sources(t, map[string]string{"served": "deb [trusted=yes] " + uri + " ./"})
	command(t, "apt-get", "--quiet", "update")
	if all := paths(); !strings.Contains(all, "/Packages") {
		t.Fatalf("apt has asked for %s", all)
	}
	later := time.Now().Add(time.Hour) // than the lists
	must(t, os.Chtimes("/etc/apt/sources.list.d/served.list", later, later))
	f := newFixture(t)
	f.Preview(recipe(`test.equal(pkg.check(["tree"]), [])`)).Want(events.NoChange)
	if all := paths(); !strings.Contains(all, "Release") || strings.Contains(all, "/Packages") {
		t.Errorf("with lists that have not changed it asks for %s", all)
	}

	ctx, cancel := context.WithCancel(t.Context())
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/cancel") {
			cancel()
		}
		<-r.Context().Done()
	}))
	defer slow.Close()
	sources(t, map[string]string{"slow": "deb " + slow.URL + " stable main"})
	f.Preview(recipe(`test.contains(pkg.check(["tree"], timeout = 0.2)[0], "the sources of packages were not fetched within ")`)).
		Want(events.NoChange)
	must(t, os.WriteFile("/etc/apt/sources.list.d/slow.list", []byte("deb "+slow.URL+"/cancel stable main\n"), 0o644))
	f.RunContext(ctx, recipe(`pkg.check(["tree"], timeout = "10m")`)).WantError("context canceled")
}
