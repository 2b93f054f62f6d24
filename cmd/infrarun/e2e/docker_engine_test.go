package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime/events"
)

// engineGoes has the engine, and all containers with it, end in the middle of an update. It starts anew at once, or later.
func (c *containers) engineGoes(t *testing.T) {
	intact := c.intact()
	c.repo.write("cmd/console/note.go", slowToBuild())
	c.repo.commit("version 2")
	defer c.repo.reset()
	const whileBuilds, whileWaited = "while it builds", "while it is waited for"
	for _, at := range []struct {
		name   string
		moment func(events.Event) bool
	}{
		{whileBuilds, printed("go build", "Running in")}, // first: what was built once comes out of the engine's cache
		{"while containers are made", printed("Starting")},
		{whileWaited, func(e events.Event) bool { return e.Kind == events.StepStarted && e.Step.Name == "ready" }},
	} {
		name, moment := at.name, at.moment
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			p := c.start(c.args("update.star", "--stable=1")...)
			if !p.until(moment) {
				t.Fatalf("it ended before:\n%s", p.wait().failure())
			}
			if name == whileBuilds {
				c.awaitBuild()
			}
			c.e.Restart()
			r := p.wait()
			if r.code == 0 && name == whileWaited { // it asked before the engine ended, and then when it was back
				c.answers()
				c.infrarun("rollback").want(0)
				c.answers()
				intact(t)
				return
			}
			o := r.want(3).outcome()
			t.Log(o.Error)
			if o.Result != events.RolledBack || len(o.Left) > 0 || !strings.Contains(o.Error, "the Docker engine at "+c.e.Host+" does not answer") {
				t.Errorf("outcome is %+v", o)
			}
			c.answers()
			intact(t)
		})
	}
	t.Run("rollback without it", func(t *testing.T) { c.in(t).rollsBackWithout(t, intact) })
}

// slowToBuild is a file that takes the compiler some seconds, so that a build can be met at work.
func slowToBuild() string {
	var text strings.Builder
	text.WriteString("package main\n")
	for i := range 20_000 {
		fmt.Fprintf(&text, "func slow%[1]d(n int) int {\n\tfor i := range n {\n\t\tn ^= i * %[1]d\n\t}\n\treturn n\n}\n", i)
	}
	return text.String()
}

// printed matches when commands have printed these texts, one after the other.
func printed(texts ...string) func(events.Event) bool {
	return func(e events.Event) bool {
		if e.Kind == events.Output && strings.Contains(e.Text, texts[0]) {
			texts = texts[1:]
		}
		return len(texts) == 0
	}
}

// awaitBuild waits until the container of a build runs: the engine would leave one behind that it was about to start.
func (c *containers) awaitBuild() {
	c.t.Helper()
	running := func() int {
		list, err := c.e.API.ContainerList(c.t.Context(), container.ListOptions{})
		if err != nil {
			c.t.Fatal(err)
		}
		return len(list)
	}
	for deadline := time.Now().Add(30 * time.Second); running() <= len(services); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			c.t.Fatal("the build has no container")
		}
	}
}

// rollsBackWithout asks for the rollback of an interrupted update, and of one that is done, while there is no engine, and
// then again.
func (c *containers) rollsBackWithout(t *testing.T, intact func(*testing.T)) {
	try := func(code int) events.Outcome {
		t.Helper()
		up := c.e.Down()
		defer up()
		const advice = " does not answer; start it"
		if status := c.manage("status").want(1); !strings.Contains(status.outcome().Error, c.e.Host+advice) || strings.Contains(status.outcome().Error, ".star:") {
			t.Errorf("the status is\n%s", status.outcome().Error)
		}
		r := c.infrarun("rollback").want(code)
		t.Logf("without an engine:\n%s", r.failure())
		if !strings.Contains(r.failure(), "the Docker engine at "+c.e.Host+advice) {
			t.Errorf("it does not say what is wrong:\n%s", r.failure())
		}
		return r.outcome()
	}
	c.killedAt("compose.up.called=kill", "update.star")
	if o := try(4); o.Result != events.Incomplete || len(o.Next) != 1 || !strings.HasPrefix(o.Next[0], "infrarun rollback ") {
		t.Errorf("outcome is %+v", o)
	}
	c.infrarun("rollback").want(0)
	c.answers()
	intact(t)

	c.deploy("update.star").want(0)
	up := c.e.Down()
	c.manage("troubleshoot").want(0).says(c.e.Host+" does not answer", "start it (systemctl start docker)")
	up()
	c.infrarun("rollback").want(0) // the bundle
	if o := try(1); o.Result != events.Refused || !strings.Contains(o.Error, "it cannot be told") {
		t.Errorf("outcome is %+v", o)
	}
	c.answers()
	c.infrarun("rollback").want(0)
	c.answers()
	intact(t)
}

// answers waits until the console, which has just been started, answers through the gate.
func (s *site) answers() {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		code, body, err := s.get("http", "/api/v1/health")
		if err == nil && code == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the console does not answer through the gate: %d %s %v", code, body, err)
		}
	}
}
