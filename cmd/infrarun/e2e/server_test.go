package e2e

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/testdata/server"
)

// TestServer deploys to a server that has nothing but its base system, with a real systemd and a real apt.
func TestServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	before := m.snapshot()
	m.deploy("deploy.star", "--dry-run").want(2)
	server.Same(t, before, m.snapshot(), kept...)

	t.Run("fails fresh", func(t *testing.T) { testFailsFresh(t, m.on(t)) })
	fresh := m.Image()
	preview := m.deploy("deploy.star", "--dry-run").want(2)
	// Whatever root's umask is, the services can read what is theirs to read.
	run := m.infrarunWith([]string{"sh", "-c", `umask 077 && exec "$@"`, "sh"}, m.deployArgs("deploy.star")...).want(0)
	run.logSteps()
	wantSame(t, preview, run)
	testDeployed(t, m)
	m.deploy("deploy.star", "--dry-run", "--no-backup").want(0)

	m.Restart()
	m.active()
	m.answers()
	deployed := m.Image()

	t.Run("then", func(t *testing.T) {
		for name, test := range map[string]struct {
			from server.Image
			test func(*testing.T, *machine)
		}{
			"fails":           {deployed, testFailsDeployed},
			"scores":          {deployed, testScores},
			"preflight":       {fresh, testPreflight},
			"manage":          {deployed, testManage},
			"backup":          {deployed, testBackup},
			"database":        {deployed, testDatabase},
			"without systemd": {fresh, testWithoutSystemd},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				test.test(t, &machine{test.from.Start(t), t})
			})
		}
	})
}

// testDeployed checks a server on which the stack runs.
func testDeployed(t *testing.T, m *machine) {
	t.Helper()
	m.active()
	m.answers()
	for _, name := range services {
		unit := "infra-core-" + name + ".service"
		if state := strings.TrimSpace(m.Exec("systemctl", "is-enabled", unit).Stdout); state != "enabled" {
			t.Errorf("%s is %s", unit, state)
		}
		if user := strings.TrimSpace(m.Must("sh", "-c", "ps -o user= -p $(systemctl show -P MainPID "+unit+")")); user != "infraco+" && user != "infracore" {
			t.Errorf("%s runs as %s", unit, user)
		}
		words := strings.Fields(m.Exec("systemd-analyze", "security", "--no-pager", unit).Stdout)
		exposure := 10.0
		for i, w := range words {
			if w == unit+":" && i+1 < len(words) {
				exposure, _ = strconv.ParseFloat(words[i+1], 64)
			}
		}
		t.Logf("%s: exposure %.1f", unit, exposure)
		if exposure >= 4 {
			t.Errorf("%s is exposed by %.1f", unit, exposure)
		}
	}
	foreign := m.Must("sh", "-c", "find -L /opt/infra-core /etc/infra-core ! -user root -printf '%p %u\\n' | head")
	if foreign != "" {
		t.Errorf("these need not be written, and are not root's:\n%s", foreign)
	}
	for path, want := range map[string]string{
		"/etc/infra-core/infra-core.env": "600 root:root", "/var/lib/infra-core": "750 infracore:infracore",
		"/var/lib/infra-core/console.db": "640 infracore:infracore", "/etc/infra-core/certs": "750 root:infracore",
	} {
		if got := strings.TrimSpace(m.Must("stat", "--format", "%a %U:%G", path)); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	if n := len(strings.Fields(m.Must("sh", "-c", fmt.Sprintf("find /root -newer %s -type f", onMachine)))); n > 0 {
		t.Errorf("the deployment left %d files in the home of root", n)
	}
}
