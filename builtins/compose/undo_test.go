package compose

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
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

// on is a sink that acts once, when a line with that part is printed, or a change of that call is finished.
type on struct {
	part string
	act  func()
}

func (o *on) Handle(e events.Event) {
	printed := e.Kind == events.Output && strings.Contains(e.Text, o.part)
	finished := e.Kind == events.ChangeFinished && e.Change.Call == o.part
	if o.act != nil && (printed || finished) {
		act := o.act
		o.act = nil
		act()
	}
}

func (o *on) Close() error { return nil }

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

// In a child these say where the directories are, what is run, and at which line that is printed it is killed.
const (
	childBase   = "COMPOSE_TEST_BASE"
	childRecipe = "COMPOSE_TEST_RECIPE"
	childLine   = "COMPOSE_TEST_LINE"
)

// TestChild is the process that is killed. It does nothing unless it is told to.
func TestChild(t *testing.T) {
	base := os.Getenv(childBase)
	if base == "" {
		return // this is no child
	}
	f := familytest.New(t, Family(), fsUndo())
	f.Reopen(base)
	f.Grant("docker", "compose:*")
	r := f.RunContext(context.Background(), os.Getenv(childRecipe), &on{os.Getenv(childLine), func() {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}})
	t.Fatalf("it was not killed, but ended %s: %s", r.Outcome.Result, r.Outcome.Error)
}

// Infrarun is killed while Compose works, which goes on.
func TestKilled(t *testing.T) {
	for v, lines := range map[composetest.Version][]string{
		composetest.Current: {"shop_extra", "site-1 Start"},
		composetest.One:     {"Recreating shop_site_1"},
	} {
		b := newBed(t, v)
		b.shop("    volumes: [/cache]")
		b.Run(up1).Want(events.Succeeded)
		state, settings := b.state(), b.settings()
		b.file("compose.override.yaml", version2)
		for _, line := range lines {
			cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
			cmd.Env = append(os.Environ(), childBase+"="+b.Base(), childRecipe+"="+up1, childLine+"="+line)
			out, err := cmd.CombinedOutput()
			if err == nil || cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
				t.Fatalf("it was not killed at %q: %v\n%s", line, err, out)
			}
			b.Rollback().Want(events.Restored)
			b.wantSame("killed at "+line+",", state, settings)
		}
		b.e.Clean()
	}
}
