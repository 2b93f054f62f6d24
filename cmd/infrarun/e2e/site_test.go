package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/infrarun/infrarun/testdata/enginetest"
)

// site is a place to deploy to: a prefix, a state directory, ports of its own, and the repository that
// is deployed from.
type site struct {
	t      testing.TB
	dir    string
	prefix string
	state  string
	repo   *repo
	ports  map[string]int
	env    []string
	flags  []string
	via    []string // what the command is run by, such as nsenter
	host   string   // where the services are asked
}

// newSite returns an empty site. Its services are stopped when the test ends.
func newSite(t testing.TB, r *repo) *site {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	s := &site{t: t, dir: dir, prefix: filepath.Join(dir, "root"), state: filepath.Join(dir, "state"), repo: r, ports: map[string]int{}, host: "127.0.0.1"}
	if err := os.Mkdir(s.prefix, 0o755); err != nil {
		t.Fatal(err)
	}
	free := freePorts(t, 6)
	for i, name := range []string{"http", "https", "console", "orch", "probe", "snap"} {
		s.ports[name] = free[i]
		s.flags = append(s.flags, fmt.Sprintf("--%s-port=%d", name, free[i]))
	}
	s.flags = append(s.flags, "--env=development", "--prefix="+s.prefix, "--repo="+r.dir, "--stable=0", "--no-ui", "--yes")
	s.env = append(os.Environ(), "INFRARUN_STATE_DIR="+s.state)
	t.Cleanup(s.stopServices)
	return s
}

// in returns the same site for a test within the test.
func (s *site) in(t testing.TB) *site {
	c := *s
	c.t = t
	return &c
}

// freePorts returns ports that nobody listens on.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	ports := make([]int, n)
	for i := range ports {
		ports[i] = enginetest.FreePort(t)
	}
	return ports
}

func (s *site) stopServices() {
	scripts, _ := filepath.Glob(filepath.Join(s.prefix, "opt/infra-core/services/*.sh"))
	for _, script := range scripts {
		exec.Command(script, "stop").Run()
	}
}

// url is where a service is asked.
func (s *site) url(port, path string) string {
	return "http://" + s.host + ":" + strconv.Itoa(s.ports[port]) + path
}

// get asks a service.
func (s *site) get(port, path string) (int, string, error) {
	client := http.Client{Timeout: 5 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get(s.url(port, path))
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode, string(body), err
}

// version returns the version that the console, asked through the gate, says it has.
func (s *site) version() string {
	s.t.Helper()
	code, body, err := s.get("http", "/api/v1/health")
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("the console does not answer through the gate: %d %s %v", code, body, err)
	}
	var health struct{ Version string }
	if err := json.Unmarshal([]byte(body), &health); err != nil {
		s.t.Fatalf("health is %s: %v", body, err)
	}
	return health.Version
}
