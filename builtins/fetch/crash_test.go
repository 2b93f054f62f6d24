//go:build failpoints

package fetch

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

func TestChild(t *testing.T) { familytest.Child(t, fixture) }

func TestKilledAnywhere(t *testing.T) {
	familytest.KilledAnywhere(t, func(t testing.TB) (*familytest.Fixture, string) {
		f, s := undoable(t)
		return f, s.recipe(changes)
	})
}
