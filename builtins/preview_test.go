package builtins

import (
	"os"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// What one family predicts the others see: a user that the run would make can own files and run commands.
func TestPreviewKnowsNewUsers(t *testing.T) {
	familytest.Need(t, os.Geteuid() == 0, "only root can make users and give files away")
	f := familytest.New(t, All()...)
	f.Grant("user", "infrarun-test").Grant("exec", "true", "/bin/sleep").Grant("fs.write", f.Dir+"/svc")
	const body = `
test.equal(host.user("infrarun-test"), None)
user.ensure("infrarun-test", home = DIR, uid = 64123)
test.equal(host.user("infrarun-test").home, DIR)

fs.mkdir(DIR + "/srv", owner = "infrarun-test", group = "infrarun-test", mode = "0750")
fs.write(DIR + "/srv/a", "a", owner = "infrarun-test")
fs.write_all({DIR + "/srv/b": "b"}, group = "infrarun-test")
fs.write(DIR + "/srv/c", "c")
fs.chown(DIR + "/srv/c", "infrarun-test", group = "infrarun-test")
fs.copy(DIR + "/srv/a", DIR + "/srv/d")
for name, want in {"": "infrarun-test:infrarun-test", "/a": "infrarun-test:root", "/b": "root:infrarun-test",
                   "/c": "infrarun-test:infrarun-test", "/d": "root:root"}.items():
    s = fs.stat(DIR + "/srv" + name)
    test.equal("%s %s:%s" % (name, s.owner, s.group), name + " " + want)

exec.run(["true"], user = "infrarun-test")
home = exec.run(["true"], user = "infrarun-test", read_only = True, preview = exec.result(stdout = DIR))
test.equal(home.stdout, DIR)
fs.mkdir(DIR + "/svc")
process.start("svc", ["/bin/sleep", "60"], dir = DIR + "/svc", user = "infrarun-test")
`
	r := f.Preview(body).Want(events.WouldChange)
	if assumed := r.Outcome.Assumed; assumed != 1 {
		t.Errorf("%d things are assumed, want only what the command would print: %q", assumed, r.Summaries())
	}
}
