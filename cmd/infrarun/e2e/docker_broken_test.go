package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"

	"github.com/infrarun/infrarun/runtime/events"
)

// breaks breaks a deployment in one way after the other. The commands must name what is wrong, refuse what cannot work, and
// repair what they say they repair.
func (c *containers) breaks(t *testing.T) {
	c.note("before")
	c.manage("backup").want(0)
	for _, part := range []struct {
		name string
		test func(*containers)
	}{
		{"record is damaged", (*containers).breaksRecord},
		{"resolved project is missing", (*containers).breaksProject},
		{"ports change hands", (*containers).swaps}, {"image is gone", (*containers).breaksImage},
		{"image of an older release is gone", (*containers).breaksOldImage},
		{"containers and volumes are gone", (*containers).breaksVolumes},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.test(c.in(t))
			c.in(t).manage("status").want(0).says("InfraCore is healthy")
		})
	}
}

func (c *containers) breaksRecord() {
	record := filepath.Join(c.prefix, "etc/infra-core/deployment.json")
	for _, how := range []string{"damaged", "missing"} {
		if how == "missing" {
			must(c.t, os.Remove(record))
		} else {
			must(c.t, os.WriteFile(record, []byte(`{"repo": `), 0o644))
		}
		why := "deployment.json, which says what is deployed, is " + how
		status := c.manage("status").want(1).says(why, "running (healthy)", "manage.star rollback --to-backup")
		if strings.Contains(status.outcome().Error, "docker-proxy") {
			c.t.Errorf("its own containers are taken for somebody else's:\n%s", status.outcome().Error)
		}
		c.manage("restart").want(1).unchanged().says(why)
		c.manage("test-install").want(1).says(why)
		c.manage("logs", "--service=orch").want(0)
		c.deploy("update.star").want(1).unchanged().says("missing or damaged", "deploy.star writes it anew")
		c.deploy("deploy.star", "--dry-run").want(2)
		c.manage("stop", "--dry-run").want(2)
		if made := c.manage("uninstall", "--dry-run").want(2).changes(events.Would); !strings.HasPrefix(made[0], "compose.down ") {
			c.t.Errorf("an uninstall leaves the containers: %v", made)
		}
	}
	c.previewed("restore")
}

func (c *containers) breaksProject() {
	must(c.t, os.Remove(filepath.Join(c.prefix, "etc/infra-core/compose.yaml")))
	c.manage("logs").want(1).says("compose.yaml", "manage.star start writes it again")
	c.manage("test-install").want(1).says("compose.yaml is missing")
	c.previewed("start")
	c.manage("logs", "--service=orch").want(0)
}

// swaps has two services change ports with each other, which are made anew one after the other.
func (c *containers) swaps() {
	c.previewed("configure", fmt.Sprintf("--set=orch_port=%d", c.ports["snap"]), fmt.Sprintf("--set=snap_port=%d", c.ports["orch"]))
	c.infrarun("rollback").want(0)
	c.answers()
	if code, body, err := c.get("orch", "/health"); err != nil || !strings.Contains(body, `"service":"orch"`) {
		c.t.Errorf("after the rollback the port of the orchestrator leads to %d %s %v", code, body, err)
	}
}

// breaksImage takes a container away, and with it all names of its image.
func (c *containers) breaksImage() {
	list, err := c.e.API.ImageList(c.t.Context(), image.ListOptions{})
	must(c.t, err)
	must(c.t, c.e.API.ContainerRemove(c.t.Context(), c.ids()["snap"], container.RemoveOptions{Force: true}))
	for _, one := range list {
		for _, tag := range one.RepoTags {
			if strings.HasPrefix(tag, c.images+"/snap:") {
				_, err := c.e.API.ImageRemove(c.t.Context(), tag, image.RemoveOptions{Force: true})
				must(c.t, err)
			}
		}
	}
	c.manage("start").want(1).says("has no image for snap", "manage.star update brings it again")
	preview := c.deploy("update.star", "--dry-run").want(2)
	wantSame(c.t, preview, c.deploy("update.star").want(0))
}

// breaksOldImage does the same to a service that the newest release has left alone, so that it ran from an older one.
func (c *containers) breaksOldImage() {
	c.repo.write("cmd/orch/note.go", "package main\n\n// A change after "+c.current()+" that leaves the other services alone.\n")
	c.repo.commit("change orch again")
	c.deploy("update.star").want(0)
	c.breaksImage()
	c.repo.reset()
	c.deploy("update.star").want(0) // which brings what was taken from the release before, too
}

// breaksVolumes is `docker compose down --volumes`.
func (c *containers) breaksVolumes() {
	var volumes []string
	for _, id := range c.ids() {
		for _, m := range c.e.Container(id).Mounts {
			if m.Name != "" && !slices.Contains(volumes, m.Name) {
				volumes = append(volumes, m.Name)
			}
		}
	}
	c.remove()
	for _, name := range volumes {
		must(c.t, c.e.API.VolumeRemove(c.t.Context(), name, false))
	}
	c.manage("status").want(1).says("there is no container", "does not exist", "manage.star rollback --to-backup")
	c.manage("restore", "--dry-run").want(2).says("there is no database now")
	c.manage("restore", "--yes", "--stable=0").want(0)
	if !c.has("/api/v1/notes", "before") {
		c.t.Error("what was in the database of the backup is not there")
	}
}

// restoresDatabase has an update keep the database as it was, and go back to it: the containers are stopped for that, and
// then some are made anew.
func (c *containers) restoresDatabase(t *testing.T) {
	intact := c.intact()
	c.repo.write("cmd/orch/note.go", "package main\n\n// A change after "+c.current()+" for the sake of the database.\n")
	c.repo.commit("change orch")
	defer c.repo.reset()
	file := filepath.Join(c.dir, "writes.star")
	const source = `load("@stdlib//flow.star", "step")

def write(d):
    url = "http://localhost:%d/api/v1/notes" % d.params.http_port
    http_check(url, method = "POST", body = '{"text": "lost"}', headers = {"Content-Type": "application/json"}, status = 201)
    fail("broken on purpose")

def customize(flow):
    flow.after("ready", step("write", write))
`
	must(t, os.WriteFile(file, []byte(source), 0o644))
	failed := c.deploy("update.star", "--restore-database", "--site="+file).want(3).says("written since and discarded: notes: 1 of")
	if o := failed.outcome(); o.Result != events.RolledBack || len(o.Left) > 0 {
		t.Errorf("outcome is %+v", o)
	}
	c.answers()
	intact(t)
	if c.has("/api/v1/notes", "lost") {
		t.Error("what was written during the update is in the database still")
	}
	preview := c.deploy("update.star", "--restore-database", "--dry-run").want(2)
	wantSame(t, preview, c.deploy("update.star", "--restore-database").want(0))
	c.infrarun("rollback").want(0)
	c.answers()
	c.manage("status").want(0).says(c.version())
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
