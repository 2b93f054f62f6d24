package compose

import (
	"fmt"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// Which Compose there is can be asked where no engine answers, in a preview too.
func TestAvailable(t *testing.T) {
	for _, tt := range []struct {
		version composetest.Version
		command string
	}{{composetest.Current, `["docker", "compose"]`}, {composetest.One, `["docker-compose"]`}} {
		t.Run(string(tt.version), func(t *testing.T) {
			composetest.Use(t, tt.version)
			f := fixture(t)
			t.Setenv("DOCKER_HOST", "unix://"+f.Dir+"/none.sock")
			recipe := fmt.Sprintf("c = compose.available()\ntest.equal(c.command, %s)\ntest.equal(c.version != \"\", True)", tt.command)
			f.Preview(recipe).Want(events.NoChange)
			f.Run(recipe).Want(events.Succeeded)
		})
	}
	t.Run("none", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		fixture(t).Preview(`test.equal(compose.available(), None)`).Want(events.NoChange)
	})
}
