package docker_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	apievents "github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// create makes a container that infrarun has not made.
func (f *fixture) create(name string, host container.HostConfig, change func(*container.Config)) string {
	f.t.Helper()
	config := &container.Config{Image: "app:1"}
	if change != nil {
		change(config)
	}
	made, err := f.API.ContainerCreate(f.t.Context(), config, &host, nil, nil, name)
	if err != nil {
		f.t.Fatal(err)
	}
	return made.ID
}

func (f *fixture) start(id string) {
	f.t.Helper()
	if err := f.API.ContainerStart(f.t.Context(), id, container.StartOptions{}); err != nil {
		f.t.Fatal(err)
	}
}

// aside lists the ids of the containers that are set aside.
func (f *fixture) aside() []string {
	f.t.Helper()
	list, err := f.API.ContainerList(f.t.Context(), container.ListOptions{All: true})
	if err != nil {
		f.t.Fatal(err)
	}
	var ids []string
	for _, c := range list {
		if strings.HasPrefix(c.Names[0], "/infrarun-kept.") {
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// onVolume is how a container has the volume of that name at /data.
func onVolume(name string) container.HostConfig {
	return container.HostConfig{Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: "/data"}}}
}

// TestPreviewOfWhatIsInUse: a preview refuses what the run would refuse, and takes nothing for granted in silence.
func TestPreviewOfWhatIsInUse(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	f.Image("app:2", "ENV VERSION=2")
	f.Run(`
docker.network("front")
docker.run("web", image = "app:1", network = "front", volumes = ["data:/data"], stop_timeout = 0)`).Want(events.Succeeded)
	before := f.Engine.State()
	for recipe, want := range map[string]string{
		`docker.remove_image("app:1")`:                                            "containers use: db, web",
		"docker.remove(\"web\")\ndocker.remove_image(\"app:1\")":                  "containers use: db, web", // it is set aside, and has it still
		`docker.run("new", image = "app:2")` + "\ndocker.remove_image(\"app:2\")": "containers use: new",
		`docker.remove_network("front")`:                                          "containers are in it: web",
		"docker.stop(\"web\")\ndocker.remove_network(\"front\")":                  "containers are in it: web",
		"docker.remove(\"web\")\ndocker.remove_volume(\"data\")":                  "containers have it: db, web",
		`docker.restore_volume("data", DIR + "/data.tar.gz")`:                     "containers that run have it: web",
		`docker.run("new", image = "app:2", volumes = ["other:/data"])` + "\n" +
			`docker.restore_volume("other", DIR + "/data.tar.gz")`: "containers that run have it: new",
	} {
		f.Preview(recipe).Want(events.Refused).WantError(want)
	}
	f.same("after previews", before)
	f.Run("docker.remove(\"web\")\ndocker.remove_image(\"app:1\")").Want(events.RolledBack).WantError("containers use: db, infrarun-kept.")
	f.Run("docker.stop(\"web\")\ndocker.remove_network(\"front\")").Want(events.RolledBack).WantError("containers are in it: web")
	f.same("after runs that were refused", before)
	for _, recipe := range []string{
		"docker.stop(\"web\")\ndocker.restore_volume(\"data\", DIR + \"/data.tar.gz\")",
		"docker.tag(\"app:1\", \"app:more\")\ndocker.remove_image(\"app:1\")",
	} {
		if r := f.Preview(recipe).Want(events.WouldChange); r.Outcome.Assumed != 0 {
			t.Errorf("%s: assumed %+v", recipe, r.Changes())
		}
		f.Run(recipe).Want(events.Succeeded)
		f.Rollback().Want(events.Restored)
		f.same(recipe+": after the rollback", before)
	}
	front := "docker.remove(\"web\")\ndocker.remove_network(\"front\")"
	f.Preview(front).Want(events.WouldChange)
	f.Run(front).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	if c := f.Container("web"); !c.State.Running || c.NetworkSettings.Networks["front"] == nil {
		t.Errorf("web is %s, in %v", c.State.Status, c.NetworkSettings.Networks)
	}
	// What Compose has, compose.down may have removed by then.
	f.create("shop-web-1", onVolume("shop"), func(c *container.Config) {
		c.Labels = map[string]string{"com.docker.compose.project": "shop"}
	})
	r := f.Preview(`docker.remove_volume("shop")`).Want(events.WouldChange)
	if r.Outcome.Assumed != 1 || !strings.Contains(r.Changes()[0].Assumed, "shop-web-1") {
		t.Errorf("assumed is %+v", r.Changes())
	}
	f.Run(`docker.remove_volume("shop")`).Want(events.Refused).WantError("containers have it: shop-web-1")
}

// TestPreviewAsksWhatIsThere: a container that is only started again can be asked, one that is made cannot.
func TestPreviewAsksWhatIsThere(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, env = {"VERSION": "7"})`).Want(events.Succeeded)
	f.Preview(`
docker.restart("web")
test.equal(docker.exec("web", ["/app", "env"], read_only = True).ok, True)
test.equal(docker.logs("web"), ["starting version 7"])`).Want(events.WouldChange)
	f.Preview(`
docker.run("web", image = "app:1", stop_timeout = 0)
test.equal(docker.logs("web"), [])
x = docker.exec("web", ["/app", "env"], read_only = True).stdout`).Want(events.Refused).WantError("not known in a preview")
}

// TestEndsGently: an undo ends the container that it removes as that wants to be ended, for the sake of its volumes.
func TestEndsGently(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	began := time.Now()
	f.Run(`
docker.run("web", image = "app:1", stop_timeout = 20)
docker.wait_healthy("web", stable = 0.5)
fail("a later step fails")`).Want(events.RolledBack)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	messages, failures := f.API.Events(ctx, apievents.ListOptions{
		Since: began.Format(time.RFC3339Nano), Filters: filters.NewArgs(filters.Arg("event", "die"), filters.Arg("container", "web")),
	})
	select {
	case m := <-messages:
		if code := m.Actor.Attributes["exitCode"]; code != "0" {
			t.Errorf("it ended with exit status %s, want 0, as after SIGTERM", code)
		}
	case err := <-failures:
		t.Fatal(err)
	}
}

// TestRemovedByEngine replaces, and stops, a container that the engine removes when it ends.
func TestRemovedByEngine(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.start(f.create("web", container.HostConfig{AutoRemove: true}, nil))
	for _, recipe := range []string{
		`docker.run("web", image = "app:1", env = {"A": "b"}, stop_timeout = 0)`,
		`docker.stop("web")`,
		`docker.remove("web")`,
	} {
		f.Run(recipe).Want(events.Succeeded)
		f.Rollback().Want(events.Restored)
		if c := f.Container("web"); !c.State.Running || !c.HostConfig.AutoRemove || len(c.Config.Env) > 0 {
			t.Errorf("%s: what is back is %s, removed by itself %v, with %v", recipe, c.State.Status, c.HostConfig.AutoRemove, c.Config.Env)
		}
	}
}

// TestGoneMeanwhile has somebody remove a container that a change did not stop.
func TestGoneMeanwhile(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run("docker.run(\"job\", image = \"app:1\", stop_timeout = 0)\ndocker.stop(\"job\")").Want(events.Succeeded)
	id := f.Container("job").ID
	gone := func() {
		if err := f.API.ContainerRemove(context.Background(), id, container.RemoveOptions{Force: true}); err != nil {
			t.Error(err)
		}
	}
	f.RunContext(t.Context(), "docker.start(\"job\")\nfail(\"a later step fails\")", familytest.WhenDone("docker.start", gone)).
		Want(events.RolledBack)
	if c := f.Container("job"); c.ID == id || c.State.Running {
		t.Errorf("what is back is %s, running %v", c.ID, c.State.Running)
	}
}

// TestFailedCreate: the engine makes volumes before it finds out what else is wrong.
func TestFailedCreate(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	empty := f.Engine.State()
	f.Run(`docker.run("web", image = "app:1", volumes = ["one:/x", "two:/x"])`).Want(events.RolledBack).WantError("create it", "/x")
	f.Run(`docker.run("web", image = "app:1", volumes = ["one:/x", "two:/y"], workdir = "tmp")`).Want(events.Refused).WantError("create it", "tmp")
	f.same("after containers that could not be made", empty)
}

// TestBorrowedNetwork brings back a container that shares the network of another.
func TestBorrowedNetwork(t *testing.T) {
	f := newFixture(t)
	image := f.Image("app:1")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	f.start(f.create("beside", container.HostConfig{NetworkMode: "container:web"}, func(c *container.Config) { c.Env = []string{"PORT=81"} }))
	sink := familytest.WhenDone("docker.stop", f.Prune)
	f.RunContext(t.Context(), "docker.stop(\"beside\", timeout = 1)\nfail(\"a later step fails\")", sink).Want(events.RolledBack)
	if c := f.Container("beside"); !c.State.Running || c.Image != image || !c.HostConfig.NetworkMode.IsContainer() {
		t.Errorf("what is back is %s of %s in %s", c.State.Status, c.Image, c.HostConfig.NetworkMode)
	}
}
