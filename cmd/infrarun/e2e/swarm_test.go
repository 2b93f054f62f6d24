package e2e

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/swarm"
	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

// specs describes the services of a swarm, as they were asked for.
func specs(t testing.TB, s *enginetest.Swarm) map[string]string {
	t.Helper()
	list, err := s.Engines[0].API.ServiceList(context.Background(), swarm.ServiceListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, one := range list {
		text, err := json.Marshal(one.Spec)
		if err != nil {
			t.Fatal(err)
		}
		_, name, _ := strings.Cut(one.Spec.Name, "_")
		all[name] = string(text)
	}
	return all
}

// swarmSite is a site whose services are those of a swarm of the tests' own.
type swarmSite struct {
	*site
	s *enginetest.Swarm
}

// newSwarmSite returns an empty site. The health of the stack is asked for more often than usual, to be quick.
func newSwarmSite(t *testing.T, s *enginetest.Swarm) *swarmSite {
	t.Helper()
	r := newRepo(t)
	text, err := os.ReadFile(filepath.Join(r.dir, "docker-stack.yml"))
	if err != nil {
		t.Fatal(err)
	}
	r.write("docker-stack.yml", strings.NewReplacer("interval: 5s", "interval: 500ms", ":-10s}", ":-500ms}").Replace(string(text)))
	r.commit("ask for health more often")
	c := &swarmSite{newSite(t, r), s}
	c.via, c.host = []string{"nsenter", "--net=" + s.Namespaces[0]}, s.Addresses[0]
	c.flags = append(c.flags, "--publish=host")
	c.flags = append(c.flags, baseFlags...)
	return c
}

func (c *swarmSite) in(t testing.TB) *swarmSite { return &swarmSite{c.site.in(t), c.s} }

// answer fails the test unless all services answer through the gate.
func (c *swarmSite) answer() {
	c.t.Helper()
	for _, path := range []string{"/health", "/api/v1/health", "/orchestrator/health", "/probe/health", "/snap/health"} {
		if code, body, err := c.get("http", path); err != nil || code != http.StatusOK {
			c.t.Errorf("through the gate, %s answers %d %s %v", path, code, body, err)
		}
	}
}

// The stack is deployed to a swarm of one machine, on which the images are built, and managed there.
func TestSwarm(t *testing.T) {
	s := enginetest.StartSwarm(t)
	s.Alone()
	makeBases(t, s.Engines[0])
	c := newSwarmSite(t, s)

	preview := c.deploy("swarm.star", "--dry-run").want(2)
	run := c.deploy("swarm.star").want(0)
	wantSame(t, preview, run)
	c.answer()
	begin := time.Now()
	if made := c.deploy("swarm.star").want(0).changes(events.Done); len(made) > 0 {
		t.Errorf("the same deployment changed %v", made)
	}
	t.Logf("a deployment without a change: %.1f s", time.Since(begin).Seconds())
	for _, part := range []struct {
		name string
		test func(*swarmSite, *testing.T)
	}{
		{"update", (*swarmSite).updates}, {"manage", (*swarmSite).manages}, {"configure", (*swarmSite).configures},
		{"back", (*swarmSite).goesBack}, {"bad version", (*swarmSite).refusesBad}, {"uninstall", (*swarmSite).uninstalls},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(c.in(t), t) })
	}
}

// refusesBad deploys a version that does not come up.
func (c *swarmSite) refusesBad(t *testing.T) {
	before, tree := specs(t, c.s), c.tree()
	c.repo.write("cmd/probe/broken.go", "package main\n\nimport \"os\"\n\nfunc init() { println(\"broken on purpose\"); os.Exit(1) }\n")
	c.repo.commit("break the probe")
	if failed := c.deploy("swarm.star").want(3); !strings.Contains(failed.stdout, "_probe: ") || !strings.Contains(failed.stdout, "broken on purpose") {
		t.Errorf("it does not say why:\n%s", failed.failure())
	}
	if diff := cmp.Diff(before, specs(t, c.s)); diff != "" {
		t.Errorf("a bad version has left (-before +after):\n%s", diff)
	}
	c.sameTree(tree)
	c.answer()
}
