package composefile_test

import (
	"slices"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

func TestAt(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, familytest.Files{
		"/srv/compose.yaml": `name: shop
x-base: &base
  restart: always
services:
  web:
    <<: *base
    image: x
  db:
    extends: {file: db.yaml, service: base}
  job: &job
    image: x
  job2: *job
`,
		"/srv/compose.override.yaml": "services:\n  web:\n    image: y\n",
		"/srv/db.yaml":               "services: {base: {image: z}}",
	}, composefile.Wanted{})
	for want, keys := range map[string][]string{
		"/srv/compose.override.yaml:3": {"services", "web", "image"}, // the last file rules
		"/srv/compose.yaml:3":          {"services", "web", "restart"},
		"/srv/compose.override.yaml:2": {"services", "web", "ports"}, // the nearest that is there
		"/srv/compose.yaml:8":          {"services", "db", "image"},
		"/srv/compose.yaml:11":         {"services", "job2", "image"},
		"/srv/compose.override.yaml:1": {"services", "none", "image"},
		"/srv/compose.yaml:1":          {"name"},
		"/srv/compose.override.yaml":   {"volumes"},
	} {
		if got := p.At(keys...); got != want {
			t.Errorf("At(%q) = %s, want %s", keys, got, want)
		}
	}
}

func TestProject(t *testing.T) {
	t.Parallel()
	p := mustLoad(t, familytest.Files{"/srv/compose.yaml": `
name: shop
services:
  web:
    image: x
    ports: ["80:8080", "127.0.0.1:9000-9001:9000-9001", "53:53/udp", "8080"]
    configs: [c, text]
    secrets: [s]
configs: {c: {file: ./c.conf}, text: {content: x}}
secrets: {s: {file: /etc/s}}
`}, composefile.Wanted{})
	if got, want := composefile.HostPorts(p.Services["web"]), []int{80, 9000, 9001}; !slices.Equal(got, want) {
		t.Errorf("HostPorts = %v, want %v", got, want)
	}
	if got, want := p.GivenFiles(p.Services["web"]), []string{"/srv/c.conf", "/etc/s"}; !slices.Equal(got, want) {
		t.Errorf("GivenFiles = %v, want %v", got, want)
	}
}
