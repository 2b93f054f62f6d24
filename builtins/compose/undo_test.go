package compose

import (
	"testing"

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
