//go:build failpoints

package stack

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// TestChild is the process that is killed.
func TestChild(t *testing.T) { familytest.Child(t, fixture) }

// Infrarun is killed while the swarm updates, which goes on.
func TestKilled(t *testing.T) {
	b := newBed(t)
	b.file("compose.yaml", shop)
	b.Run(deploying()).Want(events.Succeeded)
	specs := b.specs()
	for _, line := range []string{"site: updated", "site: 1 of 2 tasks"} {
		b.KilledWhenPrinted(deploying("SITE_IMAGE", "app:2", "COLOR", "blue"), line)
		b.Rollback().Want(events.Restored)
		b.wantSame("killed at "+line+",", specs)
	}
}
