package compose

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/testdata/composetest"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// fsUndo stands for the family fs, which carries out the undo of files.
func fsUndo() *runtime.Family {
	return &runtime.Family{Name: "fs", Doc: "Undo of files.", Undoers: filesys.Undoers()}
}

// bed is an engine, a Compose and a project in a directory.
type bed struct {
	*familytest.Fixture
	e *enginetest.Engine
	t *testing.T
}

// newBed has the images app:1 and app:2, whose containers answer with their version.
func newBed(t *testing.T, v composetest.Version) *bed {
	t.Helper()
	e := enginetest.Start(t)
	e.Image("app:1", "ENV VERSION=1")
	e.Image("app:2", "ENV VERSION=2")
	composetest.Use(t, v)
	return &bed{fixture(t), e, t}
}

// fixture is for recipes alone.
func fixture(t testing.TB) *familytest.Fixture {
	t.Helper()
	return familytest.New(t, Family(), fsUndo()).Grant("docker", "compose:*")
}

// file writes a file of the project.
func (b *bed) file(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// shop writes a project with a database, a site that needs it, and a job that prepares it.
func (b *bed) shop(site ...string) {
	b.t.Helper()
	b.file("compose.yaml", fmt.Sprintf(`
name: shop
services:
  db:
    image: app:1
    healthcheck: {test: ["CMD", "/app", "check"], interval: 200ms, retries: 5}
    volumes: ["data:/data"]
  prepare:
    image: app:1
    command: ["/app", "write", "/data/ready", "yes"]
    volumes: ["data:/data"]
    restart: "no"
  site:
    image: ${SITE_IMAGE:-app:1}
    environment: {PASSWORD: "${PASSWORD:-hunter2}", COLOR: "${COLOR:-red}"}
    depends_on: {db: {condition: service_healthy}, prepare: {condition: service_completed_successfully}}
%s
volumes: {data: }
`, strings.Join(site, "\n")))
}

// ids returns the ids of the project's containers by service.
func (b *bed) ids() map[string]string {
	b.t.Helper()
	ids := map[string]string{}
	for _, r := range b.containers() {
		ids[r.service] += imageref.Short(r.ID)
	}
	return ids
}

func (b *bed) containers() []replica {
	b.t.Helper()
	c := b.client()
	defer c.Close()
	list, err := inspect(b.t.Context(), c, "shop")
	if err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (b *bed) client() *engine.Client {
	b.t.Helper()
	c, err := engine.Open(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}
