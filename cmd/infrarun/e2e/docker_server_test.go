package e2e

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/testdata/server"
)

// TestDockerServer deploys as containers to a server that has no Docker: from its own apt, with a real systemd, and from a
// registry that asks for a password.
func TestDockerServer(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	m.prepareEngine()
	m.Write("/etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n", 0o644) // a server that is thrown away need not wait for the disk
	begin := time.Now()
	m.startRegistry().pushStack("team/infra-core", m.git("rev-parse", "--short=12", "HEAD"))
	t.Logf("images in the registry: %.1f s", time.Since(begin).Seconds())
	before := m.withoutEngine()

	m.infrarun("recipes/deploy.star", "--docker", "--no-packages", "--env=development", "--repo="+repoThere, "--yes").want(1).
		says("no Docker engine answers here")
	preview := m.dockerDeploy("--dry-run").want(2)
	server.Same(t, before, m.withoutEngine(), kept...)

	run := m.dockerDeploy().want(0)
	run.logSteps()
	wantSame(t, preview, run)
	for _, assumed := range []string{"a Docker engine runs by then", "there is a Docker Compose by then"} {
		if !strings.Contains(preview.stdout, assumed) {
			t.Errorf("the preview does not say that it assumes that %s", assumed)
		}
	}
	m.healthy()
	m.answers()
	if state := m.Must("systemctl", "is-enabled", "docker.service") + m.Must("systemctl", "is-active", "docker.service"); state != "enabled\nactive\n" {
		t.Errorf("docker.service is\n%s", state)
	}
	if modes := m.Must("sh", "-c", "stat --format '%a %U' /etc/infra-core/infra-core.env /etc/infra-core/compose.yaml"); modes != "600 root\n600 root\n" {
		t.Errorf("the settings are\n%s", modes)
	}
	if found := m.Exec("grep", "--recursive", "--files-with-matches", "--fixed-strings", registryPassword,
		"/etc", "/root", "/opt/infra-core", "/var/lib/infrarun", "/var/log").Stdout; found != "" {
		t.Errorf("the token of the registry is in\n%s", found)
	}
	m.manage("status").want(0)
	m.manage("test-install").want(0)
	m.Must("systemctl", "disable", "--quiet", "docker.service", "docker.socket")
	m.manage("status").want(1).says("console does not start at boot")
	m.Must("systemctl", "enable", "--quiet", "docker.service", "docker.socket")
	m.dockerDeploy("--no-backup", "--dry-run").want(0)
	m.dockerDeploy("--no-backup").want(0).unchanged()
	begin = time.Now()
	deployed := m.Image()
	t.Logf("image of the server: %.1f s", time.Since(begin).Seconds())

	t.Run("then", func(t *testing.T) {
		t.Run("kept", func(t *testing.T) {
			t.Parallel()
			m.on(t).packagesKept()
		})
		t.Run("removed", func(t *testing.T) {
			t.Parallel()
			(&machine{deployed.Start(t), t}).packagesRemoved(before)
		})
	})
}

// packagesKept rolls back, which keeps the packages, and deploys again.
func (m *machine) packagesKept() {
	begin := time.Now()
	r := m.infrarun("rollback").want(0)
	var all string
	for _, k := range r.outcome().Kept {
		all += k.What + k.Remove
	}
	if !strings.Contains(all, "docker.io") || !strings.Contains(all, "docker-compose") {
		m.t.Errorf("the rollback does not tell that it keeps Docker: %v", r.outcome().Kept)
	}
	m.gone()
	if left := m.Must("sh", "-c", "docker ps --all --quiet; docker images --quiet; docker volume ls --quiet; docker network ls --quiet --filter type=custom"); left != "" {
		m.t.Errorf("the engine still has\n%s", left)
	}
	m.t.Logf("a rollback: %.1f s", time.Since(begin).Seconds())
	again := m.dockerDeploy("--dry-run").want(2)
	begin = time.Now()
	second := m.dockerDeploy().want(0)
	m.t.Logf("a deployment to a server that has Docker: %.1f s", time.Since(begin).Seconds())
	wantSame(m.t, again, second)
	m.healthy()
	m.answers()
	m.manage("status").want(0)
}

// packagesRemoved rolls back on a server that has just started after a power cut.
func (m *machine) packagesRemoved(before server.Snapshot) {
	m.prepareEngine()
	begin := time.Now()
	// The engine renames directories when it starts, which an overlay refuses for what came with the image. It gets a copy.
	m.Must("sh", "-c", `systemctl stop docker.socket docker.service && cp --archive /var/lib/docker /var/lib/copy &&
		rm --recursive /var/lib/docker && mv /var/lib/copy /var/lib/docker && systemctl reset-failed docker.service && systemctl start docker.service`)
	for deadline := begin.Add(time.Minute); len(m.healthyServices()) < len(services) && time.Now().Before(deadline); {
		time.Sleep(100 * time.Millisecond)
	}
	m.healthy()
	m.manage("status").want(0)
	m.t.Logf("after a power cut: %.1f s", time.Since(begin).Seconds())
	begin = time.Now()
	// An image knows the times of files in seconds: what has a secret counts as changed, since its content is not on record.
	r := m.infrarun("rollback", "--remove-packages", "--force").want(0)
	m.t.Logf("a rollback with packages: %.1f s", time.Since(begin).Seconds())
	if stay := r.outcome().Kept; len(stay) > 0 {
		m.t.Errorf("the rollback keeps %v", stay)
	}
	m.gone()
	server.Same(m.t, before, m.withoutEngine(), append(slices.Clone(kept), enginePackagesLeave...)...)
}

// enginePackagesLeave is what stays when the packages of the engine are purged, and what two servers do not have in common.
var enginePackagesLeave = []string{
	"group docker", "file /etc/group*", "file /etc/gshadow*", "file /etc/docker", "file /etc/cni",
	"file /var/cache/ldconfig", "file /var/lib/dpkg/status*", "unit network-online.target", "file /etc/hosts",
}

// prepareEngine has an engine that will run on the server put its containers into the control groups of the server. By
// itself it would put them beside the server's, on the machine that the tests run on, where they outlive the server.
//
// The engine needs nothing else: the rights that systemd has on a server suffice. Its data lies on an overlay, on which
// there can be no other, so it takes the storage driver vfs by itself; its bridge and packet filter are in the network of
// the server.
func (m *machine) prepareEngine() {
	m.t.Helper()
	group := strings.TrimSpace(m.Must("sh", "-c", `sed -n 's|^[0-9]*:[^:]*:\(.*\)/init.scope$|\1|p' /proc/1/cgroup | head -n 1`))
	if group == "" {
		m.t.Fatalf("process 1 of the server is not in a control group of its own:\n%s", m.Must("cat", "/proc/1/cgroup"))
	}
	m.Write("/etc/docker/daemon.json", fmt.Sprintf("{\"cgroup-parent\": %q}\n", path.Join(group, "containers")), 0o644)
	m.t.Cleanup(func() {
		if m.t.Failed() {
			m.t.Log(m.Exec("journalctl", "--unit=docker", "--boot", "--no-pager", "--lines=100").Stdout)
		}
	})
}

// gone checks that no file of the deployment is left.
func (m *machine) gone() {
	m.t.Helper()
	if left := m.Must("sh", "-c", "ls -d /opt/infra-core /etc/infra-core /var/lib/infra-core 2>/dev/null || true"); left != "" {
		m.t.Errorf("of the deployment are left\n%s", left)
	}
}

// dockerDeploy deploys as containers.
func (m *machine) dockerDeploy(more ...string) *result {
	m.t.Helper()
	args := []string{
		"recipes/deploy.star", "--docker", "--env=production", "--repo=" + repoThere, "--yes", "--stable=1",
		"--registry=" + registryThere + "/team", "--registry-user=" + registryUser, "--registry-token=env:REGISTRY_TOKEN",
	}
	return m.infrarunWith([]string{"env", "REGISTRY_TOKEN=" + registryPassword}, append(args, more...)...)
}

// withoutEngine looks at everything on the server but infrarun's own state and what the engine has.
func (m *machine) withoutEngine() server.Snapshot {
	m.t.Helper()
	return m.Snapshot("/var/lib/infrarun", "/var/cache/infrarun", "/var/lib/docker", "/var/lib/containerd")
}

// healthyServices lists the services that run as healthy containers.
func (m *machine) healthyServices() []string {
	m.t.Helper()
	list := strings.Fields(m.Must("docker", "ps", "--filter", "health=healthy", "--format", `{{.Label "com.docker.compose.service"}}`))
	slices.Sort(list)
	return list
}

// healthy checks that all do.
func (m *machine) healthy() {
	m.t.Helper()
	list := m.healthyServices()
	if want := slices.Sorted(slices.Values(services)); !slices.Equal(list, want) {
		m.t.Errorf("healthy are containers of %v, want %v:\n%s", list, want, m.Must("docker", "ps", "--all"))
	}
}
