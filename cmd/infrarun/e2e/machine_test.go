package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/server"
)

// machine is a server of its own, with the command on it and a repository of the stack: the operator's real case.
type machine struct {
	*server.Server
	t testing.TB
}

// services are those of the stack, in the order in which they start.
var services = []string{"orch", "probe", "snap", "console", "gate"}

// urls are what answers on a server, from outside.
var urls = []string{
	"http://%s/health", "https://%s/api/v1/health", "http://%s:8082/api/v1/health", "http://%s:9090/health",
	"http://%s:8085/health", "http://%s:8086/health",
}

const (
	onMachine = "/usr/local/bin/infrarun"
	repoThere = "/srv/infracore"
)

// newMachine returns a server that has nothing but the base system, the command and a repository.
func newMachine(t testing.TB) *machine {
	t.Helper()
	m := &machine{server.Start(t), t}
	m.CopyIn(staticBinary(t), onMachine, 0o755)
	source, err := filepath.Abs("../../../testdata/infracore")
	if err != nil {
		t.Fatal(err)
	}
	list := run(t, source, "git", "ls-files", "--cached", "--others", "--exclude-standard")
	pack := exec.Command("tar", "--create", "--owner=root", "--group=root", "--files-from=-")
	pack.Dir, pack.Stdin = source, strings.NewReader(list)
	tree, err := pack.Output()
	if err != nil {
		t.Fatal(err)
	}
	m.Must("mkdir", "-p", repoThere)
	if r := m.ExecInput(string(tree), "tar", "--extract", "--directory", repoThere); r.Code != 0 {
		t.Fatal(r.Stderr)
	}
	m.git("init", "--quiet", "--initial-branch=main")
	m.git("config", "user.name", "test")
	m.git("config", "user.email", "test@localhost")
	m.commit("version 1")
	return m
}

// staticBinary builds the command so that it runs on any Linux, with failpoints.
func staticBinary(t testing.TB) string {
	t.Helper()
	file := filepath.Join(filepath.Dir(binary), "infrarun-static")
	cmd := exec.Command("go", "build", "-tags=failpoints", "-o", file, "github.com/infrarun/infrarun/cmd/infrarun")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, out)
	}
	return file
}

// on returns the machine for a test within the test.
func (m *machine) on(t testing.TB) *machine { return &machine{m.Server, t} }

// snapshot looks at everything on the server but infrarun's own state.
func (m *machine) snapshot() server.Snapshot {
	m.t.Helper()
	return m.Snapshot("/var/lib/infrarun", "/var/cache/infrarun")
}

func (m *machine) git(args ...string) string {
	m.t.Helper()
	return strings.TrimSpace(m.Must(append([]string{"git", "-C", repoThere}, args...)...))
}

// commit commits everything in the repository and returns the name that its release will have.
func (m *machine) commit(message string) string {
	m.t.Helper()
	m.git("add", "--all")
	m.git("commit", "--quiet", "--allow-empty", "-m", message)
	return m.git("rev-parse", "--short=12", "HEAD")
}

// write replaces a file of the repository.
func (m *machine) write(name, content string) {
	m.t.Helper()
	m.Write(filepath.Join(repoThere, name), content, 0o644)
}

// infrarun runs the command and collects its events.
func (m *machine) infrarun(args ...string) *result { return m.infrarunWith(nil, args...) }

// infrarunWith runs the command with further words before it, such as env and variables.
func (m *machine) infrarunWith(before []string, args ...string) *result {
	m.t.Helper()
	argv := append(append(before, onMachine), args...)
	r := m.Exec(append(argv, "--output=json")...)
	out := &result{t: m.t, args: args, code: r.Code, stdout: r.Stdout, stderr: r.Stderr}
	dec := json.NewDecoder(bytes.NewReader([]byte(r.Stdout)))
	for dec.More() {
		var e events.Event
		if err := dec.Decode(&e); err != nil {
			break
		}
		out.events = append(out.events, e)
	}
	return out
}

// deploy runs a recipe as an operator of a server does.
func (m *machine) deploy(recipe string, more ...string) *result {
	m.t.Helper()
	return m.infrarun(m.deployArgs(recipe, more...)...)
}

func (m *machine) deployArgs(recipe string, more ...string) []string {
	args := []string{"recipes/" + recipe, "--binary", "--env=production", "--repo=" + repoThere, "--yes"}
	return append(args, more...)
}

// active checks that the five services run as units.
func (m *machine) active() {
	m.t.Helper()
	for _, name := range services {
		if state := m.Exec("systemctl", "is-active", "infra-core-"+name+".service").Stdout; state != "active\n" {
			m.t.Errorf("infra-core-%s.service is %s", name, state)
		}
	}
}

// answers checks that the stack answers on all its ports, and returns the version that it says it has.
func (m *machine) answers() string {
	m.t.Helper()
	var version string
	for _, url := range urls {
		url = fmt.Sprintf(url, m.Address())
		out, err := exec.Command("curl", "--silent", "--show-error", "--fail", "--insecure", "--max-time", "10", "--noproxy", "*", url).CombinedOutput()
		if err != nil {
			m.t.Errorf("%s does not answer: %s", url, out)
			continue
		}
		var health struct{ Status, Version string }
		if err := json.Unmarshal(out, &health); err != nil || health.Status != "healthy" {
			m.t.Errorf("%s answers %s (%v)", url, out, err)
		}
		if version != "" && version != health.Version {
			m.t.Errorf("%s has version %s, another %s", url, health.Version, version)
		}
		version = health.Version
	}
	return version
}

// kept is what is left of a deployment that was rolled back: what infrarun knows of its runs, its caches, the journal
// and what the package manager knows. Packages themselves are compared.
var kept = []string{
	"file /var/lib/infrarun", "file /var/cache/infrarun", "file /var/log", "file /var/cache/apt", "file /var/lib/apt",
	"file /tmp", "file /etc/systemd/system", // the directory's time; units are compared as units
}
