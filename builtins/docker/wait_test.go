package docker

import (
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
)

// look makes a container as it is at one moment; checks are exit statuses of its health checks so far.
func look(status string, restarts int, checks ...int) *container.InspectResponse {
	s := &container.State{Status: "running", Running: true, StartedAt: "t0"}
	if status != "" {
		s.Health = &container.Health{Status: status}
	}
	for i, code := range checks {
		s.Health.Log = append(s.Health.Log, &container.HealthcheckResult{
			End: time.Unix(int64(i+1), 0), ExitCode: code, Output: "says " + string(rune('a'+i)),
		})
	}
	return &container.InspectResponse{ContainerJSONBase: &container.ContainerJSONBase{State: s, RestartCount: restarts}}
}

func TestJudge(t *testing.T) {
	type step struct {
		at   int // seconds
		look *container.InspectResponse
		done bool
		why  string
	}
	exited := look("", 0)
	exited.State = &container.State{Status: "exited", ExitCode: 7}
	restarting := look("", 0)
	restarting.State = &container.State{Status: "restarting", Running: true, Restarting: true, ExitCode: 1, StartedAt: "t0"}
	slow := look("healthy", 0, 0)
	slow.Config = &container.Config{Healthcheck: &container.HealthConfig{Test: []string{"CMD", "/app"}}}
	again := look("", 0)
	again.State.StartedAt = "t1"
	for name, c := range map[string]struct {
		streak int
		stable time.Duration
		steps  []step
	}{
		"no check": {1, 3 * time.Second, []step{{at: 0, look: look("", 0)}, {at: 2, look: look("", 0)}, {at: 3, look: look("", 0), done: true}}},
		"one good check is no streak": {2, 0, []step{
			{at: 0, look: look("starting", 0)}, {at: 1, look: look("healthy", 0, 0)}, {at: 2, look: look("healthy", 0, 0)},
			{at: 3, look: look("healthy", 0, 0, 0), done: true}}},
		"a bad check begins the streak anew": {2, 0, []step{
			{at: 0, look: look("healthy", 0, 0, 1, 0)}, {at: 1, look: look("healthy", 0, 0, 1, 0, 0), done: true}}},
		"stable begins anew as well": {1, 2 * time.Second, []step{
			{at: 0, look: look("healthy", 0, 0)}, {at: 1, look: look("healthy", 0, 0, 1)},
			{at: 3, look: look("healthy", 0, 0, 1, 0)}, {at: 5, look: look("healthy", 0, 0, 1, 0), done: true}}},
		"unhealthy":           {1, 0, []step{{at: 0, look: look("unhealthy", 0, 1), why: "unhealthy: its health check ended with 1: [says a]"}}},
		"started again":       {1, 9 * time.Second, []step{{at: 0, look: look("", 2)}, {at: 1, look: look("", 3), why: "started again (3 times"}}},
		"started by somebody": {1, 9 * time.Second, []step{{at: 0, look: look("", 0)}, {at: 1, look: again, why: "started again"}}},
		"restarted before":    {1, 0, []step{{at: 0, look: look("", 2), done: true}}},
		"exited":              {1, 0, []step{{at: 0, look: exited, why: "exited, with exit status 7"}}},
		"restarting":          {1, 0, []step{{at: 0, look: restarting, why: "ended with exit status 1"}}},
		"gone":                {1, 0, []step{{at: 0, look: nil, why: "gone"}}},
		"asked too seldom": {2, 0, []step{{at: 0, look: slow},
			{at: 60, look: slow, why: "with 1 good health checks in a row of 2 (one is made every 30s: give it a longer timeout)"}}},
		"too slow": {2, 0, []step{{at: 0, look: look("starting", 0)},
			{at: 61, look: look("starting", 0, 1), why: "it is starting after 1m0s, with 0 good health checks in a row of 2: its health check ended with 1: [says a]"}}},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Unix(1000, 0)
			w := &wait{streak: c.streak, stable: c.stable, timeout: time.Minute, began: began}
			for _, s := range c.steps {
				done, why := w.judge(s.look, began.Add(time.Duration(s.at)*time.Second))
				if done != s.done || (why == "") != (s.why == "") || !strings.Contains(why, s.why) {
					t.Errorf("after %d s: %v, %q, want %v, %q", s.at, done, why, s.done, s.why)
				}
			}
		})
	}
}

func TestHear(t *testing.T) {
	w := &wait{began: time.Unix(1000, 0)}
	at := func(second int64, action events.Action) events.Message {
		return events.Message{Action: action, TimeNano: time.Unix(second, 0).UnixNano(), Actor: events.Actor{Attributes: map[string]string{"exitCode": "3"}}}
	}
	for _, c := range []struct {
		m    events.Message
		want string
	}{
		{at(1001, events.ActionDie), "exit status 3, 1s after"},
		{at(1001, events.ActionOOM), "out of memory"},
		{at(1001, events.ActionHealthStatusUnhealthy), "unhealthy"},
		{at(1001, events.ActionHealthStatusHealthy), ""},
		{at(999, events.ActionDie), ""},
	} {
		if got := w.hear(c.m); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("hear(%s at %d) = %q, want %q", c.m.Action, c.m.TimeNano, got, c.want)
		}
	}
}
