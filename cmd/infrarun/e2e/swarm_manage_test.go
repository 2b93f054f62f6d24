package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/volume"
	"github.com/google/go-cmp/cmp"
)

// tasks are those that run, by service.
func (c *swarmSite) tasks() map[string]string {
	c.t.Helper()
	api := c.s.Engines[0].API
	services, err := api.ServiceList(context.Background(), swarm.ServiceListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	list, err := api.TaskList(context.Background(), swarm.TaskListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	all := map[string]string{}
	for _, one := range services {
		_, name, _ := strings.Cut(one.Spec.Name, "_")
		for _, task := range list {
			if task.ServiceID == one.ID && task.Status.State == swarm.TaskStateRunning && task.DesiredState == swarm.TaskStateRunning {
				all[name] += task.ID
			}
		}
	}
	return all
}

// differing lists the services that are not the same in both.
func differing(before, now map[string]string) []string {
	var names []string
	for _, name := range services {
		if before[name] != now[name] {
			names = append(names, name)
		}
	}
	return names
}

// wantDiffering fails the test unless exactly these services differ.
func (c *swarmSite) wantDiffering(what string, before, now map[string]string, names ...string) {
	c.t.Helper()
	if got := differing(before, now); !slices.Equal(got, names) {
		c.t.Errorf("%s of %v differ, want those of %v", what, got, names)
	}
}

// updates brings a new version of one service. Where ports are published is not said again.
func (c *swarmSite) updates(t *testing.T) {
	before := specs(t, c.s)
	c.repo.write("cmd/orch/note.go", "package main\n\n// A change that concerns the orchestrator alone.\n")
	release := c.repo.commit("change the orchestrator")
	c.flags = slices.DeleteFunc(slices.Clone(c.flags), func(f string) bool { return strings.HasPrefix(f, "--publish=") })
	preview := c.deploy("update.star", "--dry-run").want(2)
	asked := c.ask(t)
	run := c.deploy("update.star").want(0)
	asked.changed("orch")
	wantSame(t, preview, run)
	now := specs(t, c.s)
	c.wantDiffering("the specifications", before, now, "orch")
	if !strings.Contains(now["orch"], "infra-core/orch:"+release) || c.current() != release {
		t.Errorf("%s is current, want %s, and the orchestrator is\n%s", c.current(), release, now["orch"])
	}
	for _, name := range services {
		if c.s.Engines[0].ImageID("infra-core/"+name+":"+release) == "" {
			t.Errorf("the release is not complete: it has no image of %s", name)
		}
	}
	more := c.deploy("update.star", "--replicas=2", "--dry-run").want(2)
	if text := more.stdout; strings.Count(text, "replicas 2, was 1") < 2 {
		t.Errorf("two tasks are not what it would have:\n%s", text)
	}
	c.deploy("update.star", "--replicas=0", "--dry-run").want(1).says("--replicas is 0")
	if other := c.deploy("deploy.star", "--dry-run").want(1).says("is deployed as swarm"); !strings.Contains(other.stdout, "swarm.star goes on with that") {
		t.Errorf("it does not say what to do instead:\n%s", other.stdout)
	}
	c.answer()
}

// manages has each command do its work with services of a swarm.
func (c *swarmSite) manages(t *testing.T) {
	c.manage("status").want(0).says("swarm", "1 of 1 tasks", "InfraCore is healthy")
	out := c.manage("logs", "--service=orch,gate", "--lines=20").want(0).stdout
	if !strings.Contains(out, "service=orch") || !strings.Contains(out, "service=gate") || strings.Contains(out, "service=snap") {
		t.Errorf("the logs of two services are\n%s", out)
	}
	before, tasks := specs(t, c.s), c.tasks()
	c.previewed("restart", "--service=orch")
	c.wantDiffering("after a restart, the tasks", tasks, c.tasks(), "orch")
	c.wantDiffering("after a restart, the specifications", before, specs(t, c.s), "orch")

	before, tasks = specs(t, c.s), c.tasks()
	c.previewed("stop", "--service=snap")
	c.wantDiffering("after a stop, the tasks", tasks, c.tasks(), "snap")
	c.manage("status").want(1).says("snap does not run: stopped")
	c.previewed("start", "--service=snap")
	c.wantDiffering("after stop and start, the specifications", before, specs(t, c.s))
	c.manage("status").want(0)
	c.manage("test-install").want(0)
	c.manage("test-api").want(0).says("write a note | ok")
	c.manage("troubleshoot").want(0).says("nothing is wrong that could be found")
	c.answer()
}

// goesBack makes a backup, puts it back, and switches to the release before and back.
func (c *swarmSite) goesBack(t *testing.T) {
	before := specs(t, c.s)
	c.manage("backup").want(0)
	for _, part := range []string{"data.volume.tar.gz", "console.db", "etc.tar.zst", "release.tar.zst"} {
		if found, _ := filepath.Glob(filepath.Join(c.prefix, "opt/infra-core/backups/backup-*", part)); len(found) != 1 {
			t.Errorf("the backup has no %s", part)
		}
	}
	c.manage("backups", "--verify").want(0).says("whole")
	c.manage("test-api").want(0) // another note
	c.manage("restore", "--with-database", "--yes").want(0).says("discarded since: notes: ")
	c.wantDiffering("after a restore, the specifications", before, specs(t, c.s))
	c.answer()

	now := c.current()
	c.manage("rollback").want(0)
	c.wantDiffering("in the release before, the specifications", before, specs(t, c.s), "orch")
	if c.current() == now {
		t.Errorf("after a rollback %s is current still", now)
	}
	c.answer()
}

// configures changes a port, and the secret.
func (c *swarmSite) configures(t *testing.T) {
	before, secret := specs(t, c.s), c.secret()
	port := "--set=probe_port=" + strconv.Itoa(freePorts(t, 1)[0])
	preview := c.manage("configure", port, "--yes", "--dry-run").want(2).stdout
	if !strings.Contains(preview, "update service probe (ports)") || strings.Count(preview, "leave service") != len(services)-1 {
		t.Errorf("another port of the probe would change more:\n%s", preview)
	}
	c.previewed("configure", port, "--new-secret")
	next := c.secret()
	if next == secret {
		t.Error("the secret is as it was")
	}
	c.wantDiffering("with another secret, the specifications", before, specs(t, c.s), services...)
	c.manage("test-api").want(0).says("write a note | ok")
	c.infrarun("rollback").want(0)
	c.wantDiffering("undone, the specifications", before, specs(t, c.s))
	if got := len(c.objects("secret")); c.secret() != secret || got != 1 {
		t.Errorf("after a rollback there are %d secrets, and that in the settings is the old one: %v", got, c.secret() == secret)
	}
	for _, secret := range []string{secret, next} {
		for name, text := range all(t, c.state) {
			// What was removed lies as it was, with its mode, in a directory of root's.
			if strings.Contains(text, secret) && !strings.Contains(name, "/trash/") {
				t.Errorf("the secret is in %s", name)
			}
		}
		if strings.Contains(fmt.Sprint(specs(t, c.s)), secret) {
			t.Error("docker service inspect shows the secret")
		}
	}
}

// objects lists what the swarm and its engine have of the stack, or what of it is of a kind.
func (c *swarmSite) objects(kind string) []string {
	c.t.Helper()
	ctx, api := context.Background(), c.s.Engines[0].API
	var found []string
	add := func(what, name string) {
		if strings.HasPrefix(name, "infra-core") && strings.HasPrefix(what, kind) {
			found = append(found, what+" "+name)
		}
	}
	for name := range specs(c.t, c.s) {
		add("service", "infra-core_"+name)
	}
	secrets, err := api.SecretList(ctx, swarm.SecretListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, one := range secrets {
		add("secret", one.Spec.Name)
	}
	volumes, err := api.VolumeList(ctx, volume.ListOptions{})
	if err != nil {
		c.t.Fatal(err)
	}
	for _, one := range volumes.Volumes {
		add("volume", one.Name)
	}
	for line := range strings.Lines(c.s.Services()) {
		if name, ok := strings.CutPrefix(line, "network "); ok {
			add("network", strings.Fields(name)[0])
		}
	}
	return found
}

// uninstalls takes everything away but images; a rollback brings it back.
func (c *swarmSite) uninstalls(t *testing.T) {
	before := c.objects("")
	c.previewed("uninstall", "--purge")
	if left := c.objects(""); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
	if _, err := os.Stat(filepath.Join(c.prefix, "opt/infra-core")); err == nil {
		t.Error("the directory of the deployment is still there")
	}
	c.infrarun("rollback").want(0)
	c.answer()
	if diff := cmp.Diff(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(c.objects("")))); diff != "" {
		t.Errorf("after the rollback (-before +after):\n%s", diff)
	}
	c.manage("test-api").want(0)
}
