//go:build failpoints

package archive_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestChild(t *testing.T) { familytest.Child(t, newFixture) }

func TestKilledAnywhere(t *testing.T) {
	const recipe = `
archive.create(DIR + "/app", DIR + "/new.tar.zst")
archive.extract(DIR + "/old.tar.zst", DIR + "/empty")
archive.extract(DIR + "/old.tar.zst", DIR + "/absent")
`
	maker := newFixture(t)
	makeTree(t, filepath.Join(maker.Dir, "app"))
	maker.Run(`archive.create(DIR + "/app", DIR + "/old.tar.zst")`).Want(events.Succeeded)
	old, err := os.ReadFile(filepath.Join(maker.Dir, "old.tar.zst"))
	must(t, err)
	familytest.KilledAnywhere(t, func(t testing.TB) (*familytest.Fixture, string) {
		f := newFixture(t)
		makeTree(t, filepath.Join(f.Dir, "app"))
		write(t, filepath.Join(f.Dir, "old.tar.zst"), string(old), 0o600)
		must(t, os.Mkdir(filepath.Join(f.Dir, "empty"), 0o711))
		return f, recipe
	})
}
