package stack

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// The manager's engine starts anew, which ends its tasks, while the stack is updated, and while it goes back.
func TestEngineGoes(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", shop)
	b.Run(deploying()).Want(events.Succeeded)
	specs := b.specs()
	for line, env := range map[string][]string{
		"site: updated": {"SITE_IMAGE", "app:2", "COLOR", "blue"},
		"db: goes back": {"SITE_IMAGE", "app:dead", "DB_IMAGE", "app:2"},
	} {
		goes := familytest.WhenPrinted(line, b.s.Engines[0].Restart)
		r := b.RunContext(t.Context(), deploying(env...), goes).Want(events.RolledBack)
		t.Logf("when %q is printed: %s", line, r.Outcome.Error)
		if !goes.Called {
			t.Errorf("%q was not printed", line)
		}
		b.wantSame("the engine started anew at "+line+",", specs)
		if text, err := b.ask(); err != nil || text != "1" {
			t.Errorf("the site answers %q, %v", text, err)
		}
	}
}
