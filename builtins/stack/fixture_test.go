package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

func TestMain(m *testing.M) { enginetest.Main(m) }

// bed is a swarm of two engines and a project in a directory.
type bed struct {
	*familytest.Fixture
	s *enginetest.Swarm
	t *testing.T
}

// newBed has the images app:1 and app:2 on both engines, whose containers answer with their version, and such as are broken.
func newBed(t *testing.T) *bed {
	t.Helper()
	s := enginetest.StartSwarm(t)
	s.Image("app:1", "ENV VERSION=1")
	s.Image("app:2", "ENV VERSION=2")
	s.Image("app:dead", `CMD ["/app", "exit", "4"]`)
	s.Image("app:sick", "ENV VERSION=3", "ENV SICK=1")
	return &bed{fixture(t), s, t}
}

// shop is a gate that passes on what two tasks of a site answer, and a service with data.
const shop = `
name: shop
services:
  gate:
    image: app:1
    command: [/app, proxy, "http://site:8080/"]
    ports: [{target: 8080, published: 9000, mode: host}]
    stop_grace_period: 2s
    deploy: {endpoint_mode: dnsrr, placement: {constraints: [node.role == manager]}, update_config: {monitor: 1s}}
  site:
    image: ${SITE_IMAGE:-app:1}
    environment: {COLOR: "${COLOR:-red}", PASSWORD: "${PASSWORD:-hunter2}"}
    healthcheck: {test: [CMD, /app, check], interval: 200ms, timeout: 2s, retries: 2}
    stop_grace_period: 2s
    configs: [motd]
    deploy:
      replicas: ${SITE_REPLICAS:-2}
      endpoint_mode: dnsrr
      update_config: {order: start-first, failure_action: rollback, monitor: 1s}
  db:
    image: ${DB_IMAGE:-app:1}
    volumes: ["data:/data"]
    stop_grace_period: 2s
    deploy: {endpoint_mode: dnsrr, update_config: {failure_action: pause, monitor: 1s}}
configs: {motd: {content: "welcome ${COLOR:-red}"}}
volumes: {data: }
`

// small is a stack of one service.
const small = `
name: shop
services:
  db:
    image: app:1
    environment: {COLOR: "${COLOR:-red}"}
    configs: [motd]
    deploy: {endpoint_mode: dnsrr, update_config: {monitor: 300ms}}
configs: {motd: {content: "welcome ${COLOR:-red}"}}
`

// withExtra adds a service in a network of its own to a stack.
func withExtra(stack, image string) string {
	extra := "services:\n  extra: {image: \"" + image + "\", networks: [other], deploy: {endpoint_mode: dnsrr}}\n"
	return strings.Replace(stack, "services:\n", extra, 1) + "networks: {other: }\n"
}

// fixture is for recipes alone.
func fixture(t testing.TB) *familytest.Fixture {
	t.Helper()
	return familytest.New(t, Family()).Grant("docker", "stack:*")
}

// file writes a file of the project.
func (b *bed) file(name, text string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.Dir, name), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// deploying is the call that brings the shop up with some variables: "COLOR", "blue".
func deploying(env ...string) string {
	var pairs []string
	for i := 0; i < len(env); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%q: %q", env[i], env[i+1]))
	}
	return fmt.Sprintf(`stack.deploy(DIR, env = {%s}, steady = 0.5, timeout = 60)`, strings.Join(pairs, ", "))
}

// specs describes the specifications of all services, as they count.
func (b *bed) specs() string {
	b.t.Helper()
	c, err := engine.Open(b.t.Context())
	if err != nil {
		b.t.Fatal(err)
	}
	defer c.Close()
	s, err := look(b.t.Context(), c, "shop")
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, one := range s.services {
		tree, err := normal(one.Spec, s.names)
		if err != nil {
			b.t.Fatal(err)
		}
		text, err := json.Marshal(tree)
		if err != nil {
			b.t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	for _, n := range s.networks {
		lines = append(lines, "network "+n.Name)
	}
	for _, f := range s.configs {
		lines = append(lines, "config "+f.Spec.Name)
	}
	for _, f := range s.secrets {
		lines = append(lines, "secret "+f.Spec.Name)
	}
	return strings.Join(lines, "\n")
}

// versions are those of the services, which the swarm counts up with every update.
func (b *bed) versions() map[string]uint64 {
	b.t.Helper()
	list, err := b.s.Engines[0].API.ServiceList(b.t.Context(), swarm.ServiceListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	all := map[string]uint64{}
	for _, one := range list {
		all[short("shop", one.Spec.Name)] = one.Version.Index
	}
	return all
}

// wantSame stops the test unless all services are as they were.
func (b *bed) wantSame(when, specs string) {
	b.t.Helper()
	if now := b.specs(); now != specs {
		b.t.Fatalf("%s the stack is\n%s\nwas\n%s", when, now, specs)
	}
}
