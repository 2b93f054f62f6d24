//go:build failpoints

package compose

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// TestChild is the process that is killed.
func TestChild(t *testing.T) { familytest.Child(t, fixture) }

// Infrarun is killed while Compose works, which goes on.
func TestKilled(t *testing.T) {
	lines := map[composetest.Version][]string{
		composetest.Current: {"shop_extra", "site-1 Start"},
		composetest.One:     {"Recreating shop_site_1"},
	}
	for _, v := range []composetest.Version{composetest.One, composetest.Current} {
		b := newBed(t, v)
		b.shop("    volumes: [/cache]")
		b.Run(up1).Want(events.Succeeded)
		state, settings := b.state(), b.settings()
		b.file("compose.override.yaml", version2)
		for _, line := range lines[v] {
			b.KilledWhenPrinted(up1, line)
			b.Rollback().Want(events.Restored)
			b.wantSame("killed at "+line+",", state, settings)
		}
		b.e.Clean()
	}
}
