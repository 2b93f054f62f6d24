package stack

import (
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// Whatever an undo finds, it leaves what was there before.
func TestUndoTwiceAndForNothing(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", small)
	b.Run(deploying()).Want(events.Succeeded)
	specs := b.specs()
	b.file("compose.yaml", withExtra(small, "app:1"))
	blue := deploying("COLOR", "blue")
	b.BreakEverywhere(blue)
	b.wantSame("broken everywhere,", specs)
	b.UndoTwice(blue)
	b.wantSame("undone twice,", specs)
	b.file("compose.yaml", small)
	b.UndoTwice(`stack.remove("shop")`)
	b.Preview(deploying()).Want(events.NoChange)
	b.Run(`stack.remove("shop")`).Want(events.Succeeded)
	if s := b.specs(); s != "" {
		t.Errorf("removed, the swarm has\n%s", s)
	}
	if c := b.Run(`stack.remove("shop")`).Want(events.Succeeded).Changes()[0]; c.Status != events.Unchanged {
		t.Errorf("removed again: %s", c.Summary)
	}
}

// What a swarm says of itself and of a stack, and a preview that goes on after a change.
func TestStatus(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", small)
	b.Run(`
    here = stack.swarm()
    test.equal([here.active, here.manager, len(here.nodes), sorted([n.role for n in here.nodes])], [True, True, 2, ["manager", "worker"]])
    test.equal(stack.status("shop"), [])
    stack.deploy(DIR, steady = 0.2)
    test.equal([(s.name, s.wanted, s.running, s.image, s.update) for s in stack.status("shop")], [("db", 1, 1, "app:1", "")])
`).Want(events.Succeeded)
	b.Preview(`
    stack.remove("shop")
    test.equal(stack.deploy(DIR).changed, True)
    test.equal(stack.deploy(DIR).changed, False)
    test.equal(type(stack.status("shop")), "unknown")
`).Want(events.WouldChange)
}
