package compose

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// version2 changes the site, adds a service, and takes one away.
const version2 = `
services:
  site: {image: app:2, networks: [default, extra], volumes: [more:/more, /cache2]}
  added: {image: app:2}
networks: {extra: }
volumes: {more: }
`

// Whatever an undo finds, it leaves what was there before.
func TestUndoTwiceAndForNothing(t *testing.T) {
	b := newBed(t, composetest.Current)
	b.shop("    volumes: [/cache]")
	b.Run(up1).Want(events.Succeeded)
	state, settings := b.state(), b.settings()
	b.file("compose.override.yaml", version2)
	if n := b.BreakEverywhere(up1); n < 2 {
		t.Errorf("broken at %d places", n)
	}
	b.wantSame("broken everywhere,", state, settings)
	b.UndoTwice(up1)
	b.wantSame("undone twice,", state, settings)
	ids := b.ids()
	b.UndoTwice(`compose.down("shop")`)
	b.wantSame("down undone twice,", state, settings)
	if b.ids()["site"] == ids["site"] {
		t.Error("down did nothing")
	}
}

// One run after the other is undone: what a rollback has made again is no change by somebody else.
func TestRollbackAfterRollback(t *testing.T) {
	b := newBed(t, composetest.Current)
	b.shop("")
	b.Run(up1).Want(events.Succeeded)
	var states []string
	for _, v := range []string{"1", "2", "3"} {
		states = append(states, b.state())
		b.file("compose.override.yaml", "services: {site: {environment: {CHANGE: \""+v+"\"}}}\n")
		b.Run(up1).Want(events.Succeeded)
	}
	for _, before := range []int{2, 1, 0} {
		b.Rollback().Want(events.Restored)
		b.wantSame("rolled back,", states[before], b.settings())
	}
}

// A container that does not run without another one is started again until that is there; one that never stays is told.
func TestUndoStartsWhatNeedsOthers(t *testing.T) {
	b := newBed(t, composetest.Current)
	project := func(color string) {
		b.file("compose.yaml", `
name: shop
services:
  db:
    image: app:1
    stop_grace_period: 0s
    ports: ["18081:8080"]
    environment: {START_DELAY: 2s, COLOR: `+color+`}
    healthcheck: {test: ["CMD", "/app", "check"], interval: 200ms, retries: 20}
  site:
    image: app:1
    stop_grace_period: 0s
    network_mode: host
    command: ["/app", "need", "http://127.0.0.1:18081/"]
    environment: {PORT: "18082", COLOR: `+color+`}
    depends_on: {db: {condition: service_healthy}}
`)
	}
	b.Grant("docker", "host-network")
	project("red")
	b.Run(up1).Want(events.Succeeded)
	state, settings := b.state(), b.settings()
	project("blue")
	b.Run(up1 + "\nfail(\"no\")").Want(events.RolledBack)
	b.wantSame("rolled back,", state, settings)
	patience := stableTimeout
	stableTimeout = 4 * time.Second
	t.Cleanup(func() { stableTimeout = patience })
	if err := b.e.API.ContainerStop(t.Context(), "shop-db-1", container.StopOptions{}); err != nil {
		t.Fatal(err)
	}
	left := b.Run(`compose.up(DIR, services = ["site"], steady = 0.2, timeout = 30)`).Want(events.Incomplete).Outcome.Left
	if len(left) != 1 || !strings.Contains(left[0].Error, "container shop-site-1 ran before; started again, it exited with code 1") {
		t.Errorf("left is %+v", left)
	}
}
