package pkg

import (
	"os"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// TestDnfOnServer manages packages with a real dnf and rpm, which Debian has as well. The packages are made here.
func TestDnfOnServer(t *testing.T) {
	t.Parallel()
	server.Run(t, map[string]func(*testing.T){"dnf": testDnf, "dnfCheck": testDnfCheck})
}

func testDnf(t *testing.T) {
	must(t, os.WriteFile("/etc/dpkg/dpkg.cfg.d/test", []byte("force-unsafe-io\n"), 0o644))
	command(t, "apt-get", "--quiet", "update")
	command(t, "apt-get", "--yes", "--quiet", "install", "--no-install-recommends", "rpm", "dnf", "createrepo-c")
	must(t, os.MkdirAll("/srv/repo", 0o755))
	for name, more := range map[string]string{"libjq1": "", "jq": "Requires: libjq1\nProvides: json-processor\n"} {
		spec := "Name: " + name + "\nVersion: 1.6\nRelease: 1\nSummary: x\nLicense: MIT\nBuildArch: noarch\n" + more + "%description\nx\n%files\n"
		must(t, os.WriteFile("/srv/"+name+".spec", []byte(spec), 0o644))
		command(t, "rpmbuild", "-bb", "--define", "_rpmdir /srv/repo", "/srv/"+name+".spec")
	}
	command(t, "createrepo_c", "/srv/repo")
	must(t, os.MkdirAll("/etc/yum.repos.d", 0o755))
	must(t, os.WriteFile("/etc/yum.repos.d/test.repo", []byte("[test]\nname=test\nbaseurl=file:///srv/repo\nenabled=1\ngpgcheck=0\n"), 0o644))
	must(t, os.Rename("/usr/bin/apt-get", "/usr/bin/apt-get.hidden"))

	f := newFixture(t)
	const body = `
test.equal(pkg.manager(), "dnf")
test.equal(pkg.update().changed, True)
test.equal(pkg.update().changed, False)
test.equal(pkg.install(["jq"], undo = "remove").installed, ["jq"])
test.equal(pkg.install(["jq=1.6-*"]).changed, False)
`
	trees := func() string {
		return familytest.Tree(t, "/var/lib") + familytest.Tree(t, "/var/cache") + familytest.Tree(t, "/etc")
	}
	before := trees()
	f.Preview(recipe(body)).Want(events.WouldChange)
	familytest.SameTree(t, "after the preview", trees(), before)
	r := f.Run(recipe(body + `
test.equal(pkg.version_available("tree"), "")
test.equal(pkg.installed("json-processor"), "1.6-1")
`)).Want(events.Succeeded)
	if !said(r, "2 packages were installed, a rollback removes them: jq libjq1") {
		t.Error("what came is not told")
	}
	f.Run(recipe(`pkg.remove(["libjq1"])`)).Want(events.Refused).WantError("libjq1 is needed by (installed) jq")
	f.Rollback().Want(events.Restored)
	if left := command(t, "rpm", "-qa"); left != "" {
		t.Errorf("left: %s", left)
	}
}
