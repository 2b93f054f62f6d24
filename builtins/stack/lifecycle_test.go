package stack

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/runtime/events"
)

// pair is a stack of two services, one of which knows a secret.
const pair = `
name: shop
services:
  web: {image: app:1, stop_grace_period: 1s, deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {parallelism: 0, monitor: 300ms}}}
  db:
    image: app:1
    secrets: [{source: key, mode: 0444}]
    stop_grace_period: 1s
    deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.role == manager]}, update_config: {monitor: 300ms}}
secrets: {key: {environment: KEY}}
`

// tasks are the ids of the tasks that run, by service.
func (b *bed) tasks() map[string]string {
	b.t.Helper()
	list, err := b.s.Engines[0].API.TaskList(b.t.Context(), swarm.TaskListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	services, err := b.s.Engines[0].API.ServiceList(b.t.Context(), swarm.ServiceListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]string{}
	for _, s := range services {
		for _, t := range list {
			if t.ServiceID == s.ID && t.Status.State == swarm.TaskStateRunning && t.DesiredState == swarm.TaskStateRunning {
				all[short("shop", s.Spec.Name)] += fmt.Sprintf("%d:%s ", t.Slot, t.ID)
			}
		}
	}
	return all
}

// Services are stopped, started and restarted one at a time.
func TestLifecycle(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", pair)
	up := deploying("KEY", "correcthorse")
	b.Run(up).Want(events.Succeeded)
	specs, tasks := b.specs(), b.tasks()

	stop := `stack.stop("shop", services = ["db"])`
	b.Preview("\n    " + stop + `
    test.equal(stack.deploy(DIR, env = {"KEY": "correcthorse"}, services = ["web"]).changed, False)
    test.equal(stack.deploy(DIR, env = {"KEY": "correcthorse"}, services = ["db"]).changed, True)
    test.equal(stack.deploy(DIR, env = {"KEY": "correcthorse"}).changed, False)
`).Want(events.WouldChange)
	b.wantSame("after a preview", specs)
	b.Run("\n    " + stop + `
    test.equal([(s.name, s.wanted, s.running) for s in stack.status("shop")], [("db", 0, 0), ("web", 2, 2)])
`).Want(events.Succeeded)
	if left, err := b.s.Engines[0].API.ContainerList(t.Context(), container.ListOptions{Filters: ofStack("shop")}); err != nil ||
		strings.Contains(fmt.Sprint(left), "shop_db") {
		t.Errorf("stopped, there runs %v, %v", left, err)
	}
	if now := b.tasks(); now["web"] != tasks["web"] || now["db"] != "" {
		t.Errorf("db was stopped, and there run %v of %v", now, tasks)
	}
	if c := b.Run(stop).Want(events.Succeeded).Changes()[0]; c.Status != events.Unchanged {
		t.Errorf("stopped again: %s", c.Summary)
	}
	b.Run(`test.equal(stack.restart("shop", services = ["db"]).changed, False)`).Want(events.Succeeded)
	b.Run(`stack.deploy(DIR, env = {"KEY": "correcthorse"}, services = ["dbb"])`).Want(events.Refused).WantError("no service dbb; it has db, web")

	// One that is deployed leaves the others alone, whatever the file says of them by now.
	b.file("compose.yaml", strings.Replace(pair, "replicas: 2", "replicas: 1", 1))
	b.Run(`stack.deploy(DIR, env = {"KEY": "correcthorse"}, services = ["db"], steady = 0.2)`).Want(events.Succeeded)
	b.wantSame("started,", specs)
	b.file("compose.yaml", pair)

	tasks = b.tasks()
	b.Run(`stack.restart("shop", services = ["db"])`).Want(events.Succeeded)
	now := b.tasks()
	if now["web"] != tasks["web"] || now["db"] == tasks["db"] || now["db"] == "" {
		t.Errorf("db was restarted, and there run %v after %v", now, tasks)
	}
	b.Preview(up).Want(events.NoChange) // a restart is nothing to take back
	b.Rollback().Want(events.Restored)
	if again := b.tasks(); !maps.Equal(again, now) {
		t.Errorf("the rollback of a restart made %v of %v", again, now)
	}
}

// What fails after services were stopped and restarted has them run as they did, and an earlier run can be undone after that.
func TestLifecycleUndo(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", pair)
	up := deploying("KEY", "correcthorse")
	b.Run(up).Want(events.Succeeded)
	specs := b.specs()
	b.Run(`
    stack.stop("shop", services = ["db"])
    stack.restart("shop", services = ["web"])
    fail("on purpose")
`).Want(events.RolledBack)
	b.wantSame("put back,", specs)
	if got := b.tasks(); got["db"] == "" || strings.Count(got["web"], ":") != 2 {
		t.Errorf("there run %v", got)
	}
	b.Rollback().Want(events.Restored) // of what has deployed it: nothing has drifted
	if s := b.specs(); s != "" {
		t.Errorf("put back, the swarm has\n%s", s)
	}
	b.NoTrace("correcthorse")
}

// A secret comes from a variable: another value is another secret, and a rollback leads back to the old one.
func TestSecret(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", pair)
	first := b.Preview(deploying("KEY", "correcthorse")).Want(events.WouldChange).Changes()[0]
	if made := b.Run(deploying("KEY", "correcthorse")).Want(events.Succeeded).Changes()[0]; made.Diff != first.Diff {
		t.Errorf("the first preview says\n%s\nand the run\n%s", first.Diff, made.Diff)
	}
	b.Preview(deploying("KEY", "correcthorse")).Want(events.NoChange)
	specs, versions := b.specs(), b.versions()
	if strings.Contains(specs, "correcthorse") {
		t.Errorf("the secret is in\n%s", specs)
	}
	other := deploying("KEY", "batterystaple")
	if c := b.Preview(other).Want(events.WouldChange).Changes()[0]; !strings.Contains(c.Diff, "+ create secret shop_key\n") ||
		!strings.Contains(c.Diff, "~ update service db (secrets)\n") {
		t.Errorf("the preview says\n%s", c.Diff)
	}
	b.Run(other).Want(events.Succeeded)
	if now := b.versions(); now["web"] != versions["web"] {
		t.Error("another secret of db has touched web")
	}
	b.Rollback().Want(events.Restored)
	b.wantSame("put back,", specs)
	b.elsewhere("correcthorse")
	b.Preview(`test.equal([n[:9] for n in stack.remove("shop", secrets = ["batterystaple"]).left], ["shop_key-"])`).Want(events.WouldChange)
	b.UndoTwice(`test.equal(stack.remove("shop", secrets = ["correcthorse"]).left, [])`)
	b.wantSame("removed with its secret, and undone twice,", specs)
	b.NoTrace("correcthorse")
	b.NoTrace("batterystaple")
}

// elsewhere looks at the stack with another state directory, with which nobody can tell what is in its secret.
func (b *bed) elsewhere(secret string) {
	b.t.Helper()
	f := fixture(b.t)
	if err := os.WriteFile(filepath.Join(f.Dir, "compose.yaml"), []byte(pair), 0o600); err != nil {
		b.t.Fatal(err)
	}
	c := f.Preview(deploying("KEY", secret)).Want(events.WouldChange).Changes()[0]
	for _, want := range []string{"+ create secret shop_key (that which is there was made with another state directory", "~ update service db (secrets)\n"} {
		if !strings.Contains(c.Diff, want) {
			b.t.Errorf("with another state directory the preview lacks %q:\n%s", want, c.Diff)
		}
	}
	f.Preview(fmt.Sprintf(`test.equal(len(stack.remove("shop", secrets = [%q]).left), 1)`, secret)).Want(events.WouldChange)
}
