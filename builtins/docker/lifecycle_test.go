package docker_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/docker"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

func TestLifecycle(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`
docker.run("web", image = "app:1", stop_timeout = 0)
docker.run("job", image = "app:1", stop_timeout = 0)
docker.stop("job")`).Want(events.Succeeded)
	before := f.Engine.State()
	for _, recipe := range []string{`
docker.stop("web", timeout = 5)
docker.start("job")
docker.restart("web", timeout = 5)
docker.restart("job")
`, `
docker.remove("web")
docker.run("web", image = "app:1", env = {"A": "b"}, stop_timeout = 0)
docker.stop("web")
docker.remove("job")
`} {
		f.Preview(recipe).Want(events.WouldChange)
		f.same(recipe+": after a preview", before)
		f.Run(recipe).Want(events.Succeeded)
		f.Rollback().Want(events.Restored)
		f.same(recipe+": after the rollback", before)
	}
	f.Preview(`
test.equal(docker.stop("job").changed, False)
test.equal(docker.start("web").changed, False)
test.equal(docker.remove("none").changed, False)
`).Want(events.NoChange)
	pauses(t, f)
	f.Run(`docker.start("none")`).Want(events.Refused).WantError("there is no container none")
	f.Run(`docker.remove("web")`).Want(events.Succeeded)
	f.Run(`
test.equal(docker.container("web"), None)
test.equal(docker.containers(name = "*web*", all = True), [])`).Want(events.Succeeded)
}

// pauses has a container go on that somebody has paused, and undoes that.
func pauses(t *testing.T, f *fixture) {
	t.Helper()
	if err := f.API.ContainerPause(t.Context(), "web"); err != nil {
		t.Fatal(err)
	}
	before := f.Engine.State()
	f.Run(`docker.start("web")`).Want(events.Refused).WantError("it is paused")
	f.Run(`test.equal(docker.run("web", image = "app:1", stop_timeout = 0).status, "running")`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.same("paused again", before)
}

// TestUndoAnywhere breaks runs before and after each change, and undoes them twice.
func TestUndoAnywhere(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	before := f.Engine.State()
	recipe := `
docker.run("web", image = "app:1", stop_timeout = 0, env = {"A": "b"}, volumes = ["data:/data"])
docker.stop("web")
`
	if n := f.BreakEverywhere(recipe); n != 4 {
		t.Errorf("the recipe was broken at %d places, want 4", n)
	}
	f.same("broken everywhere", before)
	f.UndoTwice(`docker.run("web", image = "app:1", stop_timeout = 0, env = {"A": "b"}, volumes = ["data:/data"])`)
	f.UndoTwice(`docker.remove("web")`)
	f.same("undone twice", before)
}

// TestDrift refuses to undo what somebody has changed since.
func TestDrift(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	f.Clean()
	if r := f.Rollback(); r.Outcome.Result == events.Restored || !strings.Contains(fmt.Sprint(r.Outcome), "the container is gone") {
		t.Errorf("the rollback ended %+v, want that it says what has changed", r.Outcome)
	}
	f.ForceRollback().Want(events.Restored)
}

func TestPreviewOfContainers(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	port := enginetest.FreePort(t)
	f.Run(`docker.run("old", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	before := f.Engine.State()
	r := f.Preview(fmt.Sprintf(`
docker.network("front")
docker.volume("data")
test.equal(net.port_free(%[1]d), True)
docker.run("web", image = "app:1", stop_timeout = 0, network = "front", ports = ["%[1]d:8080"], volumes = ["data:/data"], labels = {"tier": "front"})
c = docker.container("web")
test.equal((c.running, c.status, c.image), (True, "running", "app:1"))
test.equal([x.name for x in docker.containers()], ["old", "web"])
test.equal([x.name for x in docker.containers(labels = {"tier": ""})], ["web"])
test.equal(net.port_free(%[1]d), False)
test.equal(docker.logs("web"), [])
docker.wait_healthy("web")
docker.stop("web")
test.equal(net.port_free(%[1]d), True)
test.equal(docker.containers(labels = {"tier": ""}), [])
docker.remove("old")
test.equal(docker.container("old"), None)
`, port)).Want(events.WouldChange)
	if r.Outcome.Assumed != 1 {
		t.Errorf("%d things were assumed, want that it becomes healthy", r.Outcome.Assumed)
	}
	f.same("after a preview", before)
	f.Preview(`x = docker.exec("web", ["/app", "env"], read_only = True)`).Want(events.Refused).WantError("there is no container web")
	f.Preview(`docker.run("web", image = "app:1", stop_timeout = 0)` + "\n" + `x = docker.container("web").id`).Want(events.Refused).
		WantError("container web, which this run makes or changes, is not known in a preview")
	f.Preview(`x = docker.exec("old", ["/app", "env"]).stdout`).Want(events.Refused).WantError("not known in a preview")
}

func TestPermissions(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.write("file", "")
	before := f.Engine.State()
	for args, want := range map[string]string{
		`privileged = True`:                                  "docker: privileged:web",
		`network = "host"`:                                   "docker: host-network",
		`cap_add = ["sys_admin"]`:                            "docker: capability:SYS_ADMIN",
		`volumes = ["/etc:/etc"]`:                            "docker: host-path:/etc",
		`volumes = ["` + f.Dir + `/file:/file"]`:             "docker: host-path:" + f.Dir + "/file",
		`volumes = ["/run/docker.sock:/run/docker.sock:ro"]`: "docker: host-path:/run/docker.sock",
		`env_file = "/etc/hostname"`:                         "fs.read: /etc/hostname",
	} {
		recipe := `docker.run("web", image = "app:1", stop_timeout = 0, ` + args + `)`
		f.Preview(recipe).Want(events.DeniedRun).WantError(want)
		f.Run(recipe).Want(events.DeniedRun).WantError(want)
	}
	f.Run(`docker.volume("all", options = {"type": "overlay", "device": "overlay", "o": "lowerdir=/etc:/usr"})`).
		Want(events.DeniedRun).WantError("docker: volume-driver:local")
	f.Grant("docker", "host-path:/run", "host-path:"+f.Dir)
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, volumes = ["/run:/host"])`).Want(events.DeniedRun).WantError("docker: socket")
	f.same("after all that was refused", before)
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, volumes = [DIR + "/none:/x"])`).Want(events.Refused).WantError("there is no " + f.Dir + "/none")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, volumes = [DIR + "/file:/file:ro"])`).Want(events.Succeeded)
}

func TestLookingInside(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.write("app.env", "# written by text.dotenv\nVERSION=7\nQUOTED='it'\\''s'\n")
	f.Run(`
docker.run("web", image = "app:1", stop_timeout = 0, env = {"VERSION": "1", "A": "b"}, env_file = DIR + "/app.env", hostname = "www", workdir = "/tmp")
docker.wait_healthy("web", stable = 0.1)
env = docker.exec("web", ["/app", "env"], env = {"MORE": "1"}).stdout.splitlines()
for want in ["VERSION=7", "A=b", "QUOTED=it's", "MORE=1", "HOSTNAME=www"]:
    test.equal(want in env, True)
test.equal(docker.logs("web"), ["starting version 7"])
r = docker.exec("web", ["/app", "exit", "5"], check = False)
test.equal((r.ok, r.code, r.stdout, r.stderr), (False, 5, "", "cannot open its database\n"))
s = attempt(docker.stats, "web")
if s.ok:
    test.equal(s.value.memory > 0 and s.value.memory_limit > s.value.memory and s.value.processes > 0, True)
else:
    test.contains(s.error, "the engine has measured nothing") # one in a container without control groups of its own
test.equal(docker.info().running, 1)
test.equal(docker.available(), True)
`).Want(events.Succeeded)
	f.Run(`docker.exec("web", ["/app", "exit", "5"])`).WantError("/app exit 5 ended with exit status 5", "cannot open its database")
	f.Run(`docker.exec("web", ["/app", "serve"], env = {"PORT": "1234"}, timeout = 0.3)`).WantError("it takes longer than 300ms")
	f.Run(`docker.wait_healthy("web", timeout = 30, stable = 0.1, streak = 0)`).Want(events.Refused).WantError("streak is 0")
	f.Run(`docker.logs("none")`).Want(events.Refused).WantError("there is no container none")
	f.write("app.env", "VERSION = 7\n")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, env_file = DIR + "/app.env")`).Want(events.Refused).WantError("app.env: line 1 is not KEY=value")
}

// TestNoEngine is what an operator sees who has none.
func TestNoEngine(t *testing.T) {
	f := newFixture(t)
	t.Setenv("DOCKER_HOST", "unix://"+f.Dir+"/none.sock")
	f.Run(`test.equal(docker.available(), False)`).Want(events.Succeeded)
	f.write("src/Dockerfile", "FROM scratch\n")
	// A preview of a recipe that installs it first.
	r := f.Preview(`
docker.build(DIR + "/src", tag = "app:1")
docker.pull("127.0.0.1:1/app:2")
docker.network("front")
docker.volume("data")
docker.stop("web")
docker.run("web", image = "app:1", network = "front", volumes = ["data:/data"])
docker.wait_healthy("web")
docker.prune(images = ["app"])
test.equal([c.name for c in docker.containers()], ["web"])
test.equal(docker.container("old"), None)
`).Want(events.WouldChange)
	if r.Outcome.Assumed == 0 || !strings.Contains(fmt.Sprint(r.Changes()), "a Docker engine runs by then") {
		t.Errorf("that there is an engine is not listed as assumed: %+v", r.Changes())
	}
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Refused).WantError("none.sock does not answer", "systemctl start docker")
	t.Setenv("DOCKER_HOST", "ssh://somewhere.example")
	f.Run(`docker.info()`).Want(events.Refused).WantError("over ssh")
}

// TestNamesAreNoIDs: the engine takes the beginning of an id for a name, and "db" and "fe" begin ids as well.
func TestNamesAreNoIDs(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	id := f.Container("web").ID
	before := f.Engine.State()
	f.Run(fmt.Sprintf(`
test.equal(docker.container(%[1]q), None)
test.equal(docker.stop(%[1]q).changed, False)
test.equal(docker.remove(%[1]q).changed, False)`, id[:4])).Want(events.Succeeded)
	f.Run(fmt.Sprintf(`docker.start(%q)`, id[:4])).Want(events.Refused).WantError("there is no container " + id[:4])
	f.Run(fmt.Sprintf(`docker.stop(%q)`, id)).Want(events.Refused).WantError("the id of container web")
	f.same("after all that named no container", before)
	f.Run(fmt.Sprintf(`docker.run(%q, image = "app:1", stop_timeout = 0)`, id[:4])).Want(events.Succeeded)
	if c := f.Container("web"); c.ID != id || !c.State.Running {
		t.Errorf("another container was taken for the one of the name: web is %s, %s", c.ID, c.State.Status)
	}
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
	f.Run(fmt.Sprintf(`test.equal(docker.container(%[1]q).name, "web")
test.equal(docker.logs(%[1]q), docker.logs("web"))`, id)).Want(events.Succeeded)
}

// TestPermissionByID: who may reach containers of some names does not reach others by their ids.
func TestPermissionByID(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	id := f.Container("web").ID
	f.Fixture = familytest.New(t, docker.Family())
	f.Grant("docker", "container:"+id[:3]+"*")
	for _, recipe := range []string{`docker.container(%q)`, `docker.logs(%q)`, `docker.stats(%q)`} {
		f.Run(fmt.Sprintf(recipe, id)).Want(events.DeniedRun).WantError("docker: container:web")
	}
}
