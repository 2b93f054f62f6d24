package stack

import (
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"

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
		// The gate was not touched, but ended with the engine.
		gate := filters.NewArgs(filters.Arg("label", serviceNameLabel+"=shop_gate"))
		if list, err := b.s.Engines[0].API.ContainerList(t.Context(), container.ListOptions{Filters: gate}); err != nil || len(list) != 1 {
			t.Errorf("put back, there run %d gates, %v", len(list), err)
		}
	}
}
