package compose

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/go-connections/nat"
	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
)

// running makes a container as the engine describes it.
func running(service string, number int, change func(*container.InspectResponse)) replica {
	c := container.InspectResponse{
		ContainerJSONBase: &container.ContainerJSONBase{
			ID: strings.Repeat(service, 20), Name: "/shop-" + service, Image: "sha256:1",
			State:      &container.State{Status: container.StateRunning, Running: true, StartedAt: "now"},
			HostConfig: &container.HostConfig{},
		},
		Config: &container.Config{Labels: map[string]string{projectLabel: "shop", serviceLabel: service}},
	}
	if change != nil {
		change(&c)
	}
	return replica{c, service, number}
}

func planFor(t *testing.T, text string, there func(hashes map[string]string) []replica, selected ...string) []string {
	t.Helper()
	p := mustLoad(t, familytest.Files{"/srv/compose.yaml": "name: shop\nservices:\n" + text}, composefile.Wanted{})
	c, err := canonicalize(p, nil)
	if err != nil {
		t.Fatal(err)
	}
	pl := planner{project: p, hashes: c.hashes, running: there(c.hashes), selected: selected, orphans: true}
	pl.image = func(ref string) (engine.SeenImage, error) {
		switch ref {
		case "built:1":
			return engine.SeenImage{Predicted: true, By: "compose.build"}, nil
		case "new:1":
			return engine.SeenImage{InspectResponse: &image.InspectResponse{ID: "sha256:2"}}, nil
		case "none:1":
			return engine.SeenImage{}, nil
		}
		return engine.SeenImage{InspectResponse: &image.InspectResponse{ID: "sha256:1"}}, nil
	}
	made, err := pl.plan()
	if err != nil {
		return []string{err.Error()}
	}
	var lines []string
	for _, s := range made.steps {
		lines = append(lines, s.String())
	}
	return lines
}

func TestPlan(t *testing.T) {
	same := func(h map[string]string, service string) func(*container.InspectResponse) {
		return func(c *container.InspectResponse) { c.Config.Labels[configLabel] = h[service] }
	}
	for _, tt := range []struct {
		name  string
		text  string
		there func(h map[string]string) []replica
		want  []string
	}{
		{"new", "  a: {image: x, scale: 2}\n", func(map[string]string) []replica { return nil }, []string{"create a 1", "create a 2"}},
		{"same", "  a: {image: x}\n", func(h map[string]string) []replica { return []replica{running("a", 1, same(h, "a"))} }, nil},
		{"another image", "  a: {image: \"new:1\"}\n", func(h map[string]string) []replica { return []replica{running("a", 1, same(h, "a"))} },
			[]string{"recreate shop-a (image new:1 is 2, was 1)"}},
		{"image to come", "  a: {image: \"built:1\"}\n", func(h map[string]string) []replica { return []replica{running("a", 1, same(h, "a"))} },
			[]string{"recreate shop-a (image built:1 comes by compose.build)"}},
		{"no image", "  a: {image: \"none:1\"}\n", func(map[string]string) []replica { return nil },
			[]string{"/srv/compose.yaml:3: service a: image none:1: " + errNoImage.Error()}},
		{"by somebody else", "  a: {image: x}\n", func(map[string]string) []replica { return []replica{running("a", 1, nil)} },
			[]string{"recreate shop-a (it was not brought up by infrarun)"}},
		{"settings", "  a: {image: x, environment: {PASSWORD: new, SAME: s}, ports: [\"80:8080\"], command: [b], labels: {l: v}, user: root}\n",
			func(map[string]string) []replica {
				return []replica{running("a", 1, func(c *container.InspectResponse) {
					c.Config.Labels[configLabel] = "another"
					c.Config.Env = []string{"PASSWORD=old", "SAME=s", "PATH=/bin"}
					c.HostConfig.PortBindings = nat.PortMap{"8080/tcp": {{HostPort: "81"}}}
					c.Config.Cmd = []string{"a"}
				})}
			},
			[]string{"recreate shop-a (environment: PASSWORD; ports: +80:8080/tcp, -81:8080/tcp; command; labels: l; user)"}},
		{"stopped", "  a: {image: x}\n", func(h map[string]string) []replica {
			r := running("a", 1, same(h, "a"))
			r.State.Status, r.State.Running = container.StateExited, false
			return []replica{r}
		}, []string{"start shop-a (it is exited)"}},
		{"done", "  a: {image: x, restart: \"no\"}\n", func(h map[string]string) []replica {
			r := running("a", 1, same(h, "a"))
			r.State.Status, r.State.Running = container.StateExited, false
			return []replica{r}
		}, nil},
		{"fewer and orphans", "  a: {image: x}\n", func(h map[string]string) []replica {
			return []replica{running("a", 1, same(h, "a")), running("a", 2, same(h, "a")), running("old", 1, nil)}
		}, []string{"remove shop-a (more than are wanted)", "remove shop-old (its service is not in the project)"}},
		{"bound to one that changes", "  a: {image: \"new:1\"}\n  b: {image: x, network_mode: \"service:a\"}\n  c: {image: x, volumes_from: [b]}\n",
			func(h map[string]string) []replica {
				return []replica{running("a", 1, same(h, "a")), running("b", 1, same(h, "b")), running("c", 1, same(h, "c"))}
			}, []string{
				"recreate shop-a (image new:1 is 2, was 1)", "recreate shop-b (belongs to a, which is made anew)",
				"recreate shop-c (belongs to b, which is made anew)",
			}},
		{"bound, and stopped or one too many", "  a: {image: \"new:1\"}\n  b: {image: x, network_mode: \"service:a\"}\n  c: {image: x, links: [a]}\n",
			func(h map[string]string) []replica {
				stopped := running("b", 1, same(h, "b"))
				stopped.State.Status, stopped.State.Running = container.StateExited, false
				more := running("c", 2, same(h, "c"))
				more.ID, more.Name = "another", "/shop-c-2"
				return []replica{running("a", 1, same(h, "a")), stopped, running("c", 1, same(h, "c")), more}
			}, []string{
				"recreate shop-a (image new:1 is 2, was 1)", "recreate shop-b (belongs to a, which is made anew)",
				"remove shop-c-2 (more than are wanted)", "recreate shop-c (belongs to a, which is made anew)",
			}},
	} {
		if d := cmp.Diff(tt.want, planFor(t, tt.text, tt.there)); d != "" {
			t.Errorf("%s: the plan differs (-want +got):\n%s", tt.name, d)
		}
	}
	none := func(map[string]string) []replica { return nil }
	if got := planFor(t, "  a: {image: x}\n  b: {image: x}\n", none, "b"); len(got) != 1 || got[0] != "create b" {
		t.Errorf("only b: %v", got)
	}
}

func TestJudge(t *testing.T) {
	p := mustLoad(t, familytest.Files{"/srv/compose.yaml": "name: shop\nservices: {a: {image: x}, p: {image: x, ports: [80]}, " +
		"j: {image: x}, n: {image: x, healthcheck: {disable: true}}, w: {image: x, depends_on: {j: {condition: service_completed_successfully}}}}"}, composefile.Wanted{})
	now := time.Now()
	checks := func(status container.HealthStatus, codes ...int) *container.Health {
		h := &container.Health{Status: status}
		for _, code := range codes {
			h.Log = append(h.Log, &container.HealthcheckResult{ExitCode: code, Output: "said so"})
		}
		return h
	}
	for _, tt := range []struct {
		name, service string
		state         container.State
		restarts      int
		after         time.Duration // since it was first seen
		bad, wait     string
	}{
		{name: "just started", service: "a", state: container.State{Status: "running"}, wait: "has run for less"},
		{name: "steady", service: "a", state: container.State{Status: "running"}, after: 3 * time.Second},
		{name: "restarted", service: "a", state: container.State{Status: "restarting", ExitCode: 2}, restarts: 1, bad: "restarted 1 times, last after it exited with code 2"},
		{name: "runs again", service: "a", state: container.State{Status: "running"}, restarts: 2, bad: "has been restarted 2 times"},
		{name: "exited", service: "a", state: container.State{Status: "exited", ExitCode: 2}, bad: "exited with code 2"},
		{name: "out of memory", service: "a", state: container.State{Status: "exited", ExitCode: 137, OOMKilled: true}, bad: "more memory"},
		{name: "ended well", service: "a", state: container.State{Status: "exited"}},
		{name: "server ended", service: "p", state: container.State{Status: "exited"}, bad: "exited with code 0"},
		{name: "ended well, with a health check switched off", service: "n", state: container.State{Status: "exited"}},
		{name: "job runs", service: "j", state: container.State{Status: "running"}, after: time.Minute, wait: "has not ended"},
		{name: "job is done", service: "j", state: container.State{Status: "exited"}},
		{name: "starting", service: "a", state: container.State{Status: "running", Health: checks("starting", 1)}, wait: "is starting, 0 of 2 health checks in a row succeeded, last said so"},
		{name: "healthy once", service: "a", state: container.State{Status: "running", Health: checks("healthy", 0)}, wait: "1 of 2"},
		{name: "healthy with a failure between", service: "a", state: container.State{Status: "running", Health: checks("healthy", 0, 1, 0)}, wait: "1 of 2"},
		{name: "healthy", service: "a", state: container.State{Status: "running", Health: checks("healthy", 1, 0, 0)}},
		{name: "unhealthy", service: "a", state: container.State{Status: "running", Health: checks("unhealthy", 1)}, bad: "is unhealthy"},
		{name: "created", service: "a", state: container.State{Status: "created"}, wait: "is to be started"},
		{name: "paused", service: "a", state: container.State{Status: "paused"}, bad: "is paused"},
	} {
		m := newMonitor(p, patience{2 * time.Second, 2, 0})
		r := running(tt.service, 1, func(c *container.InspectResponse) { c.State, c.RestartCount = &tt.state, tt.restarts })
		m.known[r.ID] = &seen{r.State.StartedAt, now.Add(-tt.after)}
		bad, wait := m.judge(r, p.Services[tt.service], true, now)
		if !strings.Contains(bad, tt.bad) || (bad == "") != (tt.bad == "") || !strings.Contains(wait, tt.wait) || (wait == "") != (tt.wait == "") {
			t.Errorf("%s: bad %q, wait %q; want %q, %q", tt.name, bad, wait, tt.bad, tt.wait)
		}
	}
}
