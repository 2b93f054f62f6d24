package docker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

func TestRun(t *testing.T) {
	f := newFixture(t)
	image := f.Image("app:1", "ENV VERSION=1")
	port := enginetest.FreePort(t)
	recipe := func(version string) string {
		return fmt.Sprintf(`
c = docker.run("web", image = "app:1", stop_timeout = 0, ports = ["127.0.0.1:%d:8080"], env = {"VERSION": %q}, volumes = ["data:/data"], user = "0:0",
               restart = "unless-stopped", labels = {"app": "web"}, read_only = True)
test.equal(c.running, True)
`, port, version)
	}
	empty := f.Engine.State()

	f.Preview(recipe("one")).Want(events.WouldChange)
	f.same("after a preview", empty)
	f.Run(recipe("one") + `
test.equal(c.image_id, "` + image + `")
test.equal(c.env["VERSION"], "one")
test.equal(c.restart, "unless-stopped")
test.equal([(p.container, p.host, p.port) for p in c.ports], [("8080/tcp", "127.0.0.1", ` + fmt.Sprint(port) + `)])
test.equal([(m.type, m.source, m.target) for m in c.mounts], [("volume", "data", "/data")])
test.equal(c.labels, {"app": "web"})
w = docker.wait_healthy("web", stable = 0.1)
test.equal(w.healthcheck, False)
test.equal([x.name for x in docker.containers(labels = {"app": "web"}, name = "w*")], ["web"])
test.equal([x.name for x in docker.containers(name = "x*")], [])
`).Want(events.Succeeded)
	if got := f.answer(port); got != "one" {
		t.Fatalf("version one answers %q", got)
	}
	id := f.Container("web").ID

	f.Preview(recipe("one")).Want(events.NoChange)
	f.Run(recipe("one")).Want(events.Succeeded)
	if now := f.Container("web").ID; now != id {
		t.Errorf("a container that ran as it should was replaced")
	}

	before := f.Engine.State()
	r := f.Run(recipe("two")).Want(events.Succeeded)
	if got := strings.Join(r.Summaries(), "\n"); !strings.HasSuffix(got, "other environment") {
		t.Errorf("the reason is not told: %s", got)
	}
	if got := f.answer(port); got != "two" {
		t.Errorf("version two answers %q", got)
	}
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
	if c := f.Container("web"); c.ID != id || c.HostConfig.RestartPolicy.Name != "unless-stopped" {
		t.Errorf("container %s with restart policy %s is back, want %s", c.ID, c.HostConfig.RestartPolicy.Name, id)
	}
	if got := f.answer(port); got != "one" {
		t.Errorf("after the rollback %q answers", got)
	}
}

func TestUndoOfTheFirstRun(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	before := f.Engine.State()
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, volumes = ["data:/data"])`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
}

// TestBadVersions are new versions that fail, each in its way.
func TestBadVersions(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	port := enginetest.FreePort(t)
	f.Run(fmt.Sprintf(`docker.run("web", image = "app:1", stop_timeout = 0, env = {"VERSION": "1"}, ports = ["127.0.0.1:%d:8080"])`, port)).Want(events.Succeeded)
	check := `healthcheck = {"test": ["/app", "check"], "interval": 0.1, "timeout": 5, "retries": %d}`
	before := f.Engine.State()
	for name, c := range map[string]struct{ args, want string }{
		"exits at start":       {`command = ["/app", "exit", "7"]`, "exit status 7"},
		"is not there":         {`command = ["/none"]`, "/none"},
		"fails its check":      {`env = {"SICK": "1"}, ` + fmt.Sprintf(check, 1), "unhealthy"},
		"crashes when healthy": {`env = {"CRASH_AFTER": "1s"}, restart = "always", ` + fmt.Sprintf(check, 99), "exit status 3"},
		"port is taken":        {`ports = ["` + fmt.Sprintf("127.0.0.1:%d:8080", listen(t)) + `"]`, "address already in use"},
	} {
		t.Log(name)
		f.Run(`
docker.run("web", image = "app:1", stop_timeout = 0, ` + c.args + `)
docker.wait_healthy("web", timeout = 30, stable = 20)
`).Want(events.RolledBack).WantError(c.want)
		f.same(name+": after the rollback", before)
		if strings.Contains(name, "crash") && !kept(t, f, "trash", "out of luck") {
			t.Errorf("%s: the logs of the container that failed are not in the run's directory", name)
		}
	}
	if got := f.answer(port); got != "1" {
		t.Errorf("%q answers", got)
	}
}

// kept reports whether the newest run has kept a text, in blobs or trash of its directory.
func kept(t *testing.T, f *fixture, where, text string) bool {
	t.Helper()
	runs, err := f.Fixture.State.Runs()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(f.Fixture.State.RunDir(runs[0].Run.ID), where, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if content, err := os.ReadFile(file); err == nil && strings.Contains(string(content), text) {
			return true
		}
	}
	return false
}

// TestStrangerPrunes has somebody remove all that does not run while the new version is being tried.
func TestStrangerPrunes(t *testing.T) {
	f := newFixture(t)
	image := f.Image("app:1", "ENV VERSION=1")
	f.Image("app:2", "ENV VERSION=2")
	port := enginetest.FreePort(t)
	f.Run(fmt.Sprintf(`
docker.network("front")
docker.run("web", image = "app:1", stop_timeout = 0, ports = ["127.0.0.1:%d:8080"], network = "front", aliases = ["www"], volumes = ["data:/data"],
           env = {"PASSWORD": "hunter2"})
docker.exec("web", ["/app", "write", "/data/file", "kept"])
docker.run("job", image = "app:1", stop_timeout = 0, restart = "always")
`, port)).Want(events.Succeeded)
	was, job := f.Container("web"), f.Container("job")
	sink := familytest.WhenDone("docker.run", f.Prune)
	f.RunContext(t.Context(), fmt.Sprintf(`
docker.stop("job")
docker.run("web", image = "app:2", stop_timeout = 0, ports = ["127.0.0.1:%d:8080"])
fail("a later step fails")
`, port), sink).Want(events.RolledBack)
	now := f.Container("web")
	if now.ID == was.ID || f.Container("job").ID == job.ID {
		t.Fatal("the test did not prune in the middle")
	}
	if again := f.Container("job"); again.Image != image || !again.State.Running || again.HostConfig.RestartPolicy.Name != "always" {
		t.Errorf("the job that is back is %s, %s of image %s", again.ID, again.State.Status, again.Image)
	}
	if now.Image != image || strings.Join(now.Config.Env, " ") != strings.Join(was.Config.Env, " ") {
		t.Errorf("the container that is back is %s of image %s with %v", now.ID, now.Image, now.Config.Env)
	}
	if got := f.answer(port); got != "1" {
		t.Errorf("%q answers", got)
	}
	f.Run(`test.equal(docker.exec("web", ["/app", "cat", "/data/file"], read_only = True).stdout, "kept")
test.equal(docker.container("web").networks.keys(), ["front"])`).Want(events.Succeeded)
	// It is as docker.run had defined it, so another run has nothing to do.
	f.Preview(fmt.Sprintf(`docker.run("web", image = %q, stop_timeout = 0, ports = ["127.0.0.1:%d:8080"], network = "front", aliases = ["www"],
           volumes = ["data:/data"], env = {"PASSWORD": "hunter2"})`, image, port)).Want(events.NoChange)
}

// TestNetworkPruned has somebody remove only the network of the container that was set aside.
func TestNetworkPruned(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`
docker.network("front")
docker.run("web", image = "app:1", stop_timeout = 0, network = "front")`).Want(events.Succeeded)
	id := f.Container("web").ID
	sink := familytest.WhenDone("docker.run", f.PruneNetworks)
	f.RunContext(t.Context(), `
docker.run("web", image = "app:1", stop_timeout = 0)
fail("a later step fails")
`, sink).Want(events.RolledBack)
	c := f.Container("web")
	if c.ID != id || !c.State.Running || c.NetworkSettings.Networks["front"] == nil {
		t.Errorf("container %s is back, running %v, in %v", c.ID, c.State.Running, c.NetworkSettings.Networks)
	}
}

// TestEngineRestarts has the engine start anew while the new version is being tried.
func TestEngineRestarts(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, restart = "always")`).Want(events.Succeeded)
	before := f.Engine.State()
	sink := familytest.WhenDone("docker.run", f.Restart)
	r := f.RunContext(t.Context(), `
docker.run("web", image = "app:1", stop_timeout = 0, env = {"A": "b"})
docker.wait_healthy("web", stable = 60)
`, sink).Want(events.RolledBack)
	// It depends on how soon the engine is there again.
	if why := r.Outcome.Error; !strings.Contains(why, "docker.sock does not answer") && !strings.Contains(why, "it does not run") {
		t.Errorf("the error is %s", why)
	}
	f.same("after the rollback", before)
}

// TestWhenImagesAreSaved: an image that another container runs cannot be removed by anybody, so it is not copied.
func TestWhenImagesAreSaved(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`
docker.run("one", image = "app:1", stop_timeout = 0)
docker.run("two", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	for recipe, want := range map[string]bool{
		`docker.run("one", image = "app:1", stop_timeout = 0, env = {"A": "b"})`: false,
		"docker.stop(\"one\")\ndocker.stop(\"two\")":                             true,
	} {
		f.Run(recipe).Want(events.Succeeded)
		if got := kept(t, f, "blobs", "cannot open its database"); got != want {
			t.Errorf("%s: saved: %v, want %v", recipe, got, want)
		}
		f.Rollback().Want(events.Restored)
	}
}

// TestStopsSideBySide stops the containers of one image at once: neither may count on the other to keep it.
func TestStopsSideBySide(t *testing.T) {
	f := newFixture(t)
	image := f.Image("app:1")
	// They do not end when they are asked to, so both are asked before one has ended.
	f.Run(`
for name in ["one", "two"]:
    docker.run(name, image = "app:1", stop_timeout = 2, env = {"START_DELAY": "1h"})`).Want(events.Succeeded)
	f.RunContext(t.Context(), `
parallel([(docker.stop, "one"), (docker.stop, "two")], limit = 2)
fs.write(DIR + "/both have stopped", "")
fail("a later step fails")`, familytest.WhenDone("fs.write", f.Prune)).Want(events.RolledBack)
	for _, name := range []string{"one", "two"} {
		if now := f.Container(name); now.Image != image || !now.State.Running {
			t.Errorf("%s is of image %s, running %v", name, now.Image, now.State.Running)
		}
	}
}
