package pkg

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// testDnfCheck runs after testDnf, with its repository.
func testDnfCheck(t *testing.T) {
	trees := func() string {
		all := familytest.Tree(t, "/var/lib") + familytest.Tree(t, "/var/cache") + familytest.Tree(t, "/etc")
		logs, err := filepath.Glob("/var/log/dnf*")
		must(t, err)
		for _, path := range logs {
			all += familytest.Tree(t, path)
		}
		return all
	}
	repo := func(name, uri, more string) {
		path := "/etc/yum.repos.d/" + name + ".repo"
		must(t, os.WriteFile(path, []byte("["+name+"]\nname="+name+"\nbaseurl="+uri+"\nenabled=1\ngpgcheck=0\n"+more), 0o644))
		later := time.Now().Add(time.Hour) // than the lists that are there
		must(t, os.Chtimes(path, later, later))
	}
	f := newFixture(t)
	repo("test", "file:///srv/repo", "")
	must(t, os.RemoveAll("/var/cache/dnf"))
	before := trees()
	f.Preview(recipe(`
test.equal(pkg.check(["jq", "libjq1=1.6-*"]), [])
test.equal(pkg.check(["jq", "nosuch"]), ["no source of packages has nosuch"])
`)).Want(events.NoChange)
	familytest.SameTree(t, "after a check", trees(), before)
	const failed = `
test.contains(problems[0], "Failed to download metadata for repo 'bad'")
test.contains(problems[0], "/srv/none/repodata/repomd.xml")
`
	repo("bad", "file:///srv/none", "skip_if_unavailable=1\n")
	before = trees()
	f.Preview(recipe(`
test.equal(pkg.check(["jq"]), [])
problems = pkg.check(["jq", "nosuch"])
test.equal(problems[1:], ["no source of packages has nosuch"])
` + failed)).Want(events.NoChange)
	familytest.SameTree(t, "after a check with a source that is skipped", trees(), before)
	repo("bad", "file:///srv/none", "skip_if_unavailable=0\n")
	before = trees()
	f.Preview(recipe(`
problems = pkg.check(["jq"])
test.equal(len(problems), 1)
` + failed)).Want(events.NoChange)
	familytest.SameTree(t, "after a check of a bad source", trees(), before)
}
