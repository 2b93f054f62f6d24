package e2e

import (
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// manage runs a management command as an operator of a server does: what is deployed, and how, it finds out itself.
func (m *machine) manage(args ...string) *result {
	m.t.Helper()
	return m.infrarun(append([]string{"recipes/manage.star"}, args...)...)
}

// previewed runs a command after its preview, and checks that both list the same changes.
func (m *machine) previewed(args ...string) *result {
	m.t.Helper()
	preview := m.manage(append(args, "--dry-run")...).want(2)
	done := m.manage(append(args, "--yes", "--stable=1")...).want(0)
	wantSame(m.t, preview, done)
	return done
}

// testManage runs every management command on a server on which the stack runs as units of systemd. It leaves the stack
// deployed, and healthy.
func testManage(t *testing.T, m *machine) {
	for _, part := range []struct {
		name string
		test func(*testing.T, *machine)
	}{
		{"look", testServerLooks},
		{"restart", testServerRestart},
		{"broken", testServerBroken},
		{"configure", testServerConfigure},
		{"releases", testServerReleases},
		{"backups", testServerBackups},
		{"uninstall", testServerUninstall},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, m.on(t)) })
	}
	m.active()
	m.answers()
}

// testServerLooks runs what only looks, in a preview and not. The server must be as before.
func testServerLooks(t *testing.T, m *machine) {
	before, version := m.snapshot(), m.answers()
	for _, mode := range []string{"--dry-run", "--yes"} {
		m.manage("status", mode).want(0).unchanged().says("InfraCore is healthy", version, "systemd", "production", "active (running)")
		m.manage("test-install", mode).want(0).unchanged().says("Security of the units true", "Start at boot true", "User of the services true")
		m.manage("logs", "--service=console", "--lines=20", mode).want(0).unchanged().says("service=console")
		m.manage("backups", "--verify", mode).want(0).unchanged()
	}
	r := m.manage("test-api").want(0).unchanged().says("write without a token | ok", "read the note | ok", "remove the workload | ok")
	if strings.Contains(r.stdout, "eyJ") {
		t.Error("a token is in the output")
	}
	server.Same(t, before, m.snapshot(), append(kept, "file /var/lib/infra-core")...)

	m.manage("troubleshoot", "--bundle=/root/bundle.tar.zst").want(0).says("nothing is wrong that could be found")
	if mode := m.Must("stat", "--format", "%a %U", "/root/bundle.tar.zst"); mode != "600 root\n" {
		t.Errorf("the bundle is %s", mode)
	}
	m.Must("rm", "/root/bundle.tar.zst", "/root/bundle.tar.zst.sha256")
	if r := m.Exec("setpriv", "--reuid=nobody", "--clear-groups", onMachine, "recipes/manage.star", "status", "--state-dir=/tmp/nobody"); r.Code != 1 || !strings.Contains(r.Stdout+r.Stderr, "sudo") {
		t.Errorf("somebody else gets %d %s%s", r.Code, r.Stdout, r.Stderr)
	}
}

func testServerRestart(t *testing.T, m *machine) {
	pid := func(service string) string {
		return m.Must("systemctl", "show", "--property=MainPID", "--value", "infra-core-"+service)
	}
	orch, gate := pid("orch"), pid("gate")
	m.previewed("restart", "--service=gate")
	if pid("gate") == gate || pid("orch") != orch {
		t.Error("a restart of the gate did not restart the gate alone")
	}
	m.previewed("stop")
	if state := m.Exec("systemctl", "is-active", "infra-core-gate").Stdout; state != "inactive\n" {
		t.Errorf("the gate is %s after a stop", state)
	}
	m.manage("status").want(1).unchanged().says("no service runs", "inactive (dead)")
	m.manage("logs", "--lines=5").want(0).unchanged()
	m.manage("test-api").want(1).unchanged().says("connection refused")
	m.manage("test-install").want(1).unchanged().says("nobody listens on", "Services as defined true")
	m.previewed("start")
	m.manage("status").want(0)
}

// testServerBroken breaks the deployment in three ways, of which each must be named.
func testServerBroken(t *testing.T, m *machine) {
	const unit = "/etc/systemd/system/infra-core-snap.service"
	text := m.Must("cat", unit)
	m.Write(unit, strings.Replace(text, "NoNewPrivileges=yes\n", "", 1), 0o644)
	m.Must("systemctl", "daemon-reload")
	m.Must("systemctl", "disable", "--quiet", "infra-core-snap")
	m.manage("status").want(1).unchanged().says("snap does not start at boot")
	m.manage("test-install").want(1).unchanged().says("snap is not as it was defined", "not enabled: snap")
	m.previewed("start")
	if now := m.Must("cat", unit); now != text {
		t.Errorf("the unit is\n%s", now)
	}

	const program = "/opt/infra-core/current/bin/console"
	m.Must("mv", program, program+".good")
	m.Write(program, "#!/bin/sh\necho 'level=ERROR msg=\"boom on purpose\"'\nexit 1\n", 0o755)
	m.Exec("systemctl", "restart", "infra-core-console")
	m.manage("status").want(1).unchanged().says("console", "boom on purpose")
	m.manage("troubleshoot").want(0).says("console", "boom on purpose")
	m.manage("restart", "--service=console", "--timeout=5").want(3).says("boom on purpose")
	m.Must("mv", program+".good", program)
	m.manage("restart", "--service=console").want(0)
	m.manage("status").want(0)

	m.Must("chmod", "0644", "/etc/infra-core/infra-core.env")
	m.manage("test-install").want(1).unchanged().says("infra-core.env has mode 0644, not 0600")
	m.Must("chmod", "0600", "/etc/infra-core/infra-core.env")
}

func testServerConfigure(t *testing.T, m *machine) {
	m.Write("/srv/short", "only-16-bytes-ok", 0o600)
	m.manage("configure", "--jwt-secret=file:/srv/short", "--yes").want(1).unchanged().says("production takes 32 or more")
	m.previewed("configure", "--set=orch_port=9191", "--new-secret")
	m.manage("status").want(0).says("http://localhost:9191/health")
	m.manage("test-api", "--no-write").want(0)
	m.infrarun("rollback").want(0)
	m.answers()
}

func testServerReleases(t *testing.T, m *machine) {
	first, version := m.git("rev-parse", "--short=12", "HEAD"), m.answers()
	m.write("cmd/snap/note.go", "package main\n")
	second := m.commit("another snap")
	m.previewed("update", "--repo="+repoThere, "--no-ui", "--no-backup")
	if now := m.Must("readlink", "/opt/infra-core/current"); now != "releases/"+second+"\n" {
		t.Errorf("current is %s after an update to %s", now, second)
	}
	m.manage("rollback", "--to=none").want(1).unchanged().says(first, second)
	m.previewed("rollback", "--to="+first)
	if now := m.answers(); now != version {
		t.Errorf("after the rollback %s answers, want %s", now, version)
	}
	m.manage("test-install").want(0)
}

func testServerBackups(t *testing.T, m *machine) {
	m.previewed("backup")
	m.manage("backups", "--verify").want(0).unchanged().says("whole")
	m.manage("test-api").want(0)
	m.previewed("restore", "--with-database").says("discarded since: notes")
	m.manage("test-install").want(0)
	m.manage("status").want(0)
}

func testServerUninstall(t *testing.T, m *machine) {
	before := m.snapshot()
	m.previewed("uninstall")
	left := m.Must("sh", "-c", "ls -d /etc/systemd/system/infra-core-* /etc/systemd/system/*/infra-core-* /etc/infra-core /opt/infra-core/current 2>/dev/null; true")
	if left != "" {
		t.Errorf("an uninstall leaves\n%s", left)
	}
	m.Must("test", "-f", "/var/lib/infra-core/console.db")
	m.infrarun("rollback").want(0)
	m.active()
	server.Same(t, before, m.snapshot(), append(kept, "file /var/lib/infra-core")...)

	r := m.previewed("uninstall", "--purge")
	if len(r.changes(events.Done)) == 0 || m.Exec("id", "infracore").Code == 0 {
		t.Error("the user is still there after a purge")
	}
	left = m.Must("sh", "-c", "ls -d /opt/infra-core /var/lib/infra-core /var/log/infra-core 2>/dev/null; true")
	if left != "" {
		t.Errorf("a purge leaves\n%s", left)
	}
	m.infrarun("rollback").want(0)
	m.manage("status").want(0)
	m.manage("test-install").want(0)
}
