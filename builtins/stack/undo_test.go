package stack

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// noTrace stops the test if something secret is in the state directory.
func (b *bed) noTrace(secret string) {
	b.t.Helper()
	out, err := exec.Command("grep", "-rlF", "--exclude-dir=sources", secret, b.Base()).CombinedOutput()
	if err == nil {
		b.t.Errorf("%q is in %s", secret, out)
	}
}

// on is a sink that acts once, when a line with that part is printed.
type on struct {
	part string
	act  func()
}

func (o *on) Handle(e events.Event) {
	if o.act != nil && e.Kind == events.Output && strings.Contains(e.Text, o.part) {
		act := o.act
		o.act = nil
		act()
	}
}

func (o *on) Close() error { return nil }

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
	if s := b.specs(); strings.Contains(s, "TaskTemplate") || strings.Contains(s, "network") {
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

// In a child these say where the directories are, what is run, and at which line that is printed it is killed.
const (
	childBase   = "STACK_TEST_BASE"
	childRecipe = "STACK_TEST_RECIPE"
	childLine   = "STACK_TEST_LINE"
)

// TestChild is the process that is killed. It does nothing unless it is told to.
func TestChild(t *testing.T) {
	base := os.Getenv(childBase)
	if base == "" {
		return // this is no child
	}
	f := familytest.New(t, Family())
	f.Reopen(base)
	f.Grant("docker", "stack:*")
	r := f.RunContext(context.Background(), os.Getenv(childRecipe), &on{os.Getenv(childLine), func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}})
	t.Fatalf("it was not killed, but ended %s: %s", r.Outcome.Result, r.Outcome.Error)
}

// Infrarun is killed while the swarm updates, which goes on.
func TestKilled(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", shop)
	b.Run(deploying()).Want(events.Succeeded)
	specs := b.specs()
	for _, line := range []string{"site: updated", "site: 1 of 2 tasks"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
		cmd.Env = append(os.Environ(), childBase+"="+b.Base(), childRecipe+"="+deploying("SITE_IMAGE", "app:2", "COLOR", "blue"), childLine+"="+line)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("it was not killed at %q: %v\n%s", line, err, out)
		}
		b.Rollback().Want(events.Restored)
		b.wantSame("killed at "+line+",", specs)
	}
}
