package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

// containers is a site whose services are containers of an engine of the tests' own.
type containers struct {
	*site
	e      *enginetest.Engine
	images string // what they are called, before /SERVICE:RELEASE
}

// newContainers returns an empty site, to be deployed by a Compose of that version.
func newContainers(t *testing.T, e *enginetest.Engine, v composetest.Version, r *repo) *containers {
	t.Helper()
	composetest.Use(t, v)
	c := &containers{newSite(t, r), e, "infra-core"}
	c.flags = append(c.flags, "--docker")
	c.flags = append(c.flags, baseFlags...)
	return c
}

// newQuickRepo returns a repository of the stack in which the health checks are asked more often than usual.
func newQuickRepo(t *testing.T) *repo {
	t.Helper()
	r := newRepo(t)
	file := filepath.Join(r.dir, "docker-compose.yml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	quick := strings.Replace(string(text), "interval: 5s", "interval: 500ms", 1)
	if quick == string(text) {
		t.Fatal("docker-compose.yml has no interval of 5 s")
	}
	r.write("docker-compose.yml", quick)
	r.commit("ask for health more often")
	return r
}

func (c *containers) in(t testing.TB) *containers { return &containers{c.site.in(t), c.e, c.images} }

// ids returns the ids of the containers that run, by service.
func (c *containers) ids() map[string]string {
	c.t.Helper()
	list, err := c.e.API.ContainerList(context.Background(), container.ListOptions{
		Filters: filters.NewArgs(filters.Arg("label", "com.docker.compose.service")),
	})
	if err != nil {
		c.t.Fatal(err)
	}
	found := map[string]string{}
	for _, one := range list {
		if !strings.HasPrefix(one.Labels["com.docker.compose.project.config_files"], c.prefix) {
			continue // of another site
		}
		found[one.Labels["com.docker.compose.service"]] += one.ID[:12]
	}
	return found
}

// changedIDs lists the services whose containers are others than before.
func (c *containers) changedIDs(before map[string]string) []string {
	c.t.Helper()
	now := c.ids()
	if len(now) != len(services) {
		c.t.Errorf("there are containers of %v", slices.Sorted(maps.Keys(now)))
	}
	var changed []string
	for _, name := range services {
		if now[name] != before[name] {
			changed = append(changed, name)
		}
	}
	return changed
}

func TestDocker(t *testing.T) {
	e := enginetest.Start(t)
	begin := time.Now()
	makeBases(t, e)
	t.Logf("base images: %.1f s", time.Since(begin).Seconds())
	c := newContainers(t, e, composetest.Current, newQuickRepo(t))
	c.first(t)
	for _, part := range []struct {
		name string
		test func(*containers, *testing.T)
	}{
		{"again", (*containers).again}, {"environment", (*containers).environment}, {"update", (*containers).updates},
		{"front end", (*containers).frontEnd}, {"fails", (*containers).fails}, {"engine", (*containers).engineGoes},
		{"asks too much", (*containers).asksTooMuch}, {"manage", (*containers).manages}, {"breaks", (*containers).breaks},
		{"database", (*containers).restoresDatabase},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(c.in(t), t) })
	}
	t.Run("compose 1", func(t *testing.T) { testComposeOne(t, c) })
	t.Run("registry", func(t *testing.T) { testRegistry(t, c) })
	t.Run("a stranger cleans up", func(t *testing.T) { c.in(t).prunes(t) })
	t.Run("secret", func(t *testing.T) { c.in(t).keepsSecret(t) })
	t.Run("uninstall", func(t *testing.T) { c.in(t).uninstalls(t) })
}

// first makes the first deployment.
func (c *containers) first(t *testing.T) {
	preview := c.deploy("deploy.star", "--dry-run").want(2)
	run := c.deploy("deploy.star").want(0)
	wantSame(t, preview, run)
	for _, name := range services {
		if build := "docker.build " + c.images + "/" + name + ":" + c.current(); !slices.Contains(run.changes(events.Done), build) {
			t.Errorf("%s was not built", name)
		}
	}
	for _, path := range []string{"/health", "/api/v1/health", "/orchestrator/health", "/probe/health", "/snap/health"} {
		if code, body, err := c.get("http", path); err != nil || code != 200 {
			t.Errorf("through the gate, %s answers %d %s %v", path, code, body, err)
		}
	}
	run.logSteps()
}

// testComposeOne has Compose version 1 deploy another site, from the same repository: the engine has the layers of its
// images.
func testComposeOne(t *testing.T, from *containers) {
	c := newContainers(t, from.e, composetest.One, from.repo)
	c.images = "one"
	c.flags = append(c.flags, "--image="+c.images)
	t.Cleanup(c.remove)
	c.first(t)
	c.again(t)
	c.update(t, "orch")
	defer c.repo.reset() // the other site has not been updated
	intact := c.intact()
	c.broken(t, "exits at start")
	intact(t)
	c.killed(t, intact, "compose.up.called")
}

// remove takes the containers of a site away, so that they are not in the way of other tests.
func (c *containers) remove() {
	for _, id := range c.ids() {
		if err := c.e.API.ContainerRemove(context.Background(), id, container.RemoveOptions{Force: true}); err != nil {
			c.t.Error(err)
		}
	}
}

// again deploys what is deployed.
func (c *containers) again(t *testing.T) {
	before, tree, ids := c.e.State(), c.tree(), c.ids()
	c.deploy("deploy.star", "--dry-run").want(0)
	begin := time.Now()
	if made := c.deploy("deploy.star").want(0).changes(events.Done); len(made) > 0 {
		t.Errorf("the same deployment changed %v", made)
	}
	t.Logf("a deployment without a change: %.1f s", time.Since(begin).Seconds())
	if changed := c.changedIDs(ids); len(changed) > 0 {
		t.Errorf("the same deployment made %v anew", changed)
	}
	if diff := cmp.Diff(before, c.e.State()); diff != "" {
		t.Error(diff)
	}
	c.sameTree(tree)
}

// environment changes what concerns one service.
func (c *containers) environment(t *testing.T) {
	ids := c.ids()
	port := freePorts(c.t, 1)[0]
	flag := fmt.Sprintf("--orch-port=%d", port)
	c.flags = slices.DeleteFunc(slices.Clone(c.flags), func(f string) bool { return strings.HasPrefix(f, "--orch-port=") })
	preview := c.deploy("deploy.star", flag, "--dry-run").want(2)
	run := c.deploy("deploy.star", flag).want(0)
	wantSame(c.t, preview, run)
	if changed := c.changedIDs(ids); !slices.Equal(changed, []string{"orch"}) {
		c.t.Errorf("another port of the orchestrator made %v anew", changed)
	}
	c.infrarun("rollback").want(0)
	if code, _, err := c.get("orch", "/health"); err != nil || code != 200 {
		c.t.Errorf("after the rollback the orchestrator does not answer on its port: %d %v", code, err)
	}
}

// update brings a new version of one service; the others answer meanwhile.
func (c *containers) update(t *testing.T, service string) {
	ids := c.ids()
	c.repo.write("cmd/"+service+"/note.go", "package main\n\n// A change after "+c.current()+" that concerns this service alone.\n")
	release := c.repo.commit("change " + service)
	preview := c.deploy("update.star", "--dry-run").want(2)
	asked := c.ask(t)
	run := c.deploy("update.star").want(0)
	asked.changed(service)
	wantSame(t, preview, run)
	if changed := c.changedIDs(ids); !slices.Equal(changed, []string{service}) {
		t.Errorf("an update of %s made %v anew", service, changed)
	}
	if c.current() != release {
		t.Errorf("%s is current, want %s", c.current(), release)
	}
	for _, name := range services {
		if c.e.ImageID(c.images+"/"+name+":"+release) == "" {
			t.Errorf("the release is not complete: it has no image of %s", name)
		}
	}
	c.version()
}

// updates brings a new version of a service behind the gate, and of the gate.
func (c *containers) updates(t *testing.T) {
	for _, service := range []string{"orch", "gate"} {
		t.Run(service, func(t *testing.T) { c.in(t).update(t, service) })
	}
}
