package e2e

import (
	"fmt"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// failAfter puts a site file on the machine with which a deployment fails right after a step.
func (m *machine) failAfter(step string) string {
	m.t.Helper()
	name := "/srv/fail-" + step + ".star"
	m.Write(name, fmt.Sprintf("load(\"@stdlib//flow.star\", \"step\")\n\ndef broken(d):\n    fail(\"broken on purpose\")\n\n"+
		"def customize(flow):\n    flow.after(%q, step(\"broken\", broken))\n", step), 0o644)
	return name
}

// testFailsFresh has a deployment to a fresh server fail at each step in turn. What stays are packages.
func testFailsFresh(t *testing.T, m *machine) {
	before := m.snapshot()
	for _, step := range steps {
		site := m.failAfter(step)
		r := m.deploy("deploy.star", "--site="+site, "--no-ui", "--stable=0")
		want := 3
		if len(r.changes(events.Done)) == 0 {
			want = 1
		}
		if r.code != want || !strings.Contains(r.outcome().Error, "broken on purpose") {
			t.Fatalf("failing after %s ended with %d, want %d\n%s%s", step, r.code, want, r.failure(), r.stderr)
		}
		t.Logf("after %s: put back in %.1f s", step, r.rollbackTook().Seconds())
		after := m.snapshot()
		if step != "dependencies" {
			server.Same(t, before, after, append(kept, "file /srv")...)
			continue
		}
		for _, difference := range server.Diff(before, after, kept...) {
			if strings.Contains(difference, "infra-core") || strings.Contains(difference, "infracore") {
				t.Errorf("after %s: %s", step, difference)
			}
		}
		before = after
	}
}

// testFailsDeployed has the second version fail at each step in turn, and in ways of its own. Each must leave the first.
func testFailsDeployed(t *testing.T, m *machine) {
	first := m.answers()
	before := m.snapshot()
	intact := func(t *testing.T) {
		t.Helper()
		m := m.on(t)
		m.active()
		server.Same(t, before, m.snapshot(), append(kept, "file /srv")...)
		if now := m.answers(); now != first {
			t.Errorf("%s answers, want %s", now, first)
		}
	}
	m.write("pkg/app/note.go", "package app\n")
	m.commit("version 2")
	for _, step := range steps {
		t.Run("after "+step, func(t *testing.T) {
			m := m.on(t)
			r := m.deploy("deploy.star", "--site="+m.failAfter(step), "--no-ui", "--stable=0")
			want := 3
			if len(r.changes(events.Done)) == 0 {
				want = 1
			}
			r.want(want)
			t.Logf("put back in %.1f s", r.rollbackTook().Seconds())
			intact(t)
		})
	}
	for name, source := range map[string]string{"exits at start": exitsAtStart, "never listens": neverListens, "crash-loops": crashLoops} {
		t.Run(name, func(t *testing.T) {
			m := m.on(t)
			m.write("cmd/console/broken.go", source)
			m.commit(name)
			defer m.git("reset", "--quiet", "--hard", "HEAD~1")
			r := m.deploy("deploy.star", "--no-ui", "--timeout=5").want(3)
			if o := r.outcome(); o.Result != events.RolledBack || !strings.Contains(o.Error, "console") {
				t.Errorf("outcome is %+v", o)
			}
			intact(t)
		})
	}
}

// crashLoops is a console that answers as it should, and dies a little later, again and again.
const crashLoops = `package main

import (
	"os"
	"time"
)

func init() {
	go func() {
		time.Sleep(3 * time.Second)
		os.Exit(1)
	}()
}
`

// testScores has the health checks give 74 and 75 percent, and a required one fail.
func testScores(t *testing.T, m *machine) {
	site := func(name string, weight, memory int, required string) string {
		m.Write("/srv/"+name, fmt.Sprintf(`load("@stdlib//checks.star", "check", "failed")

def bad(d):
    return failed("bad on purpose")

def customize(flow):
    for name in ["disk", "database", "logs"]:
        flow.remove_check(name)
    flow.change_check("memory", weight = %d)
    flow.add_check(check("bad", bad, weight = %d, required = %s))
`, memory, weight, required), 0o644)
		return "--site=/srv/" + name
	}
	m.write("pkg/app/note.go", "package app\n")
	m.commit("version 2")
	first := m.answers()
	r := m.deploy("deploy.star", "--no-ui", "--stable=0", site("74.star", 26, 9, "False")).want(3)
	if o := r.outcome(); !strings.Contains(o.Error, "score 74 %") {
		t.Errorf("the error is %s", o.Error)
	}
	m.deploy("deploy.star", "--no-ui", "--stable=0", site("required.star", 1, 10, "True")).want(3)
	if now := m.answers(); now != first {
		t.Errorf("%s answers, want %s", now, first)
	}
	m.deploy("deploy.star", "--no-ui", "--stable=0", site("75.star", 25, 10, "False")).want(0)
	if now := m.answers(); now == first {
		t.Errorf("%s answers still", now)
	}
}

// testPreflight has everything be wrong at once: all of it is told before anything is changed.
func testPreflight(t *testing.T, m *machine) {
	m.Must("sh", "-c", `
		echo 'deb http://127.0.0.1:9/debian bookworm main' >/etc/apt/sources.list.d/broken.list
		apt-get --quiet=2 purge --yes jq >/dev/null 2>&1
		rm -rf /var/lib/apt/lists/*
		mount -t tmpfs -o size=10m,ro tmpfs /opt
		systemd-run --quiet --unit=squatter systemd-socket-activate --listen=80 cat`)
	before := m.snapshot()
	r := m.deploy("deploy.star").want(1)
	for _, want := range []string{"80 (gate) by", "127.0.0.1:9", "/opt is on a read-only file system", "free on /opt"} {
		if !strings.Contains(r.outcome().Error, want) {
			t.Errorf("nothing is said of %q:\n%s", want, r.outcome().Error)
		}
	}
	server.Same(t, before, m.snapshot(), kept...)
	m.Must("umount", "/opt")
	m.Must("install", "--directory", "--owner=nobody", "/srv/nobody")
	r = m.infrarunWith([]string{"setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", "HOME=/srv/nobody", "GIT_CONFIG_COUNT=1",
		"GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"}, m.deployArgs("deploy.star")...).want(1)
	if !strings.Contains(r.outcome().Error, "takes root") {
		t.Errorf("the error is %s", r.outcome().Error)
	}
}

// testWithoutSystemd deploys where systemd does not run the machine: the services run under start scripts.
func testWithoutSystemd(t *testing.T, m *machine) {
	hidden := []string{"unshare", "--mount", "sh", "-c", `mount -t tmpfs tmpfs /run/systemd && mount -t tmpfs tmpfs /run/dbus && exec "$@"`, "sh"}
	m.infrarunWith(hidden, m.deployArgs("deploy.star", "--no-ui", "--stable=0")...).want(0)
	m.answers()
	user := m.Must("sh", "-c", "ps -o user:20= -p $(pgrep -o -f /opt/infra-core/current/bin/console)")
	if strings.TrimSpace(user) != "infracore" {
		t.Errorf("the console runs as %s", user)
	}
	if units := m.Exec("systemctl", "list-unit-files", "--no-legend", "infra-core-*").Stdout; units != "" {
		t.Errorf("there are units: %s", units)
	}
}
