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
	b.Run(`stack.remove("shop")`).Want(events.Succeeded)
	b.KilledAt(deploying(), "stack.after-put")
	b.Rollback().Want(events.Restored)
	if s := b.specs(); s != "" {
		t.Errorf("killed when the first service was made, the rollback has left\n%s", s)
	}
	b.Rollback().Want(events.Restored) // of the removal
	b.wantSame("after the rollback of the removal,", specs)
	for _, line := range []string{"site: updated", "site: 1 of 2 tasks"} {
		b.KilledWhenPrinted(deploying("SITE_IMAGE", "app:2", "COLOR", "blue"), line)
		b.Rollback().Want(events.Restored)
		b.wantSame("killed at "+line+",", specs)
	}
	blue := deploying("COLOR", "blue")
	b.KilledAt(blue, "stack.after-objects")
	b.Rollback().Want(events.Restored)
	b.wantSame("killed before the first service is updated,", specs)
	b.Run(blue).Want(events.Succeeded)
	b.KilledAt("", "stack.after-put")
	b.Rollback().Want(events.Restored)
	b.wantSame("killed in the rollback,", specs)
}
