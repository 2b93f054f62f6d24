package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// TestDockerMissing previews a deployment as containers to a server that has no Docker: it says what it would install, and
// what it had to assume.
func TestDockerMissing(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	// Something that can be reached: no image is asked for in a preview without an engine.
	m.Must("systemd-run", "--quiet", "--unit=registry", "--socket-property=ListenStream=127.0.0.1:5000", "--socket-property=Accept=yes", "cat")
	before := m.snapshot()
	r := m.infrarun("recipes/deploy.star", "--docker", "--env=development", "--repo="+repoThere, "--registry=127.0.0.1:5000", "--yes", "--dry-run").want(2)
	all := strings.Join(r.changes(events.Would), "\n") + r.shown()
	for _, want := range []string{"docker.io", "docker-compose"} {
		if !strings.Contains(all, want) {
			t.Errorf("the preview does not say that it installs %s:\n%s", want, all)
		}
	}
	server.Same(t, before, m.snapshot(), append(slices.Clone(kept), "unit registry.socket")...) // what is listened with

	r = m.infrarun("recipes/deploy.star", "--docker", "--no-packages", "--env=development", "--repo="+repoThere, "--yes").want(1)
	r.says("no Docker engine answers here")
}
