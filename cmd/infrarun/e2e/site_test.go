package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
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

// givenPorts are those that tests of this process have been given.
var givenPorts sync.Map

// freePorts returns ports that nobody listens on. They are below those that Linux gives to connections, of which one could
// come in between.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range 1000 {
		if len(ports) == n {
			return ports
		}
		port := 10000 + rand.IntN(22000)
		if _, given := givenPorts.LoadOrStore(port, true); given {
			continue
		}
		l, err := net.Listen("tcp", ":"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		l.Close()
		ports = append(ports, port)
	}
	t.Fatalf("there are no %d free ports", n)
	return nil
}

func (s *site) stopServices() {
	scripts, _ := filepath.Glob(filepath.Join(s.prefix, "opt/infra-core/services/*.sh"))
	for _, script := range scripts {
		exec.Command(script, "stop").Run()
	}
}

// result is what became of an invocation.
type result struct {
	t      testing.TB
	args   []string
	code   int
	stdout string
	stderr string
	events []events.Event
}

// infrarun runs the command with the site's environment and collects its JSON events.
func (s *site) infrarun(args ...string) *result {
	s.t.Helper()
	return s.start(args...).wait()
}

// deploy runs a recipe with the site's flags.
func (s *site) deploy(recipe string, more ...string) *result {
	s.t.Helper()
	return s.infrarun(s.args(recipe, more...)...)
}

func (s *site) args(recipe string, more ...string) []string {
	return append(append([]string{"recipes/" + recipe}, s.flags...), more...)
}

// process is a running invocation.
type process struct {
	s      *site
	cmd    *exec.Cmd
	args   []string
	stderr bytes.Buffer
	lines  chan events.Event
	seen   []events.Event
	raw    bytes.Buffer
}

// start starts the command with --output json.
func (s *site) start(args ...string) *process {
	s.t.Helper()
	p := &process{s: s, args: args, lines: make(chan events.Event, 10_000)}
	argv := slices.Concat(s.via, []string{binary}, args, []string{"--output=json"})
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir = s.dir
	p.cmd.Env = s.env
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		dec := json.NewDecoder(io.TeeReader(out, &p.raw))
		for {
			var e events.Event
			if err := dec.Decode(&e); err != nil {
				return
			}
			p.lines <- e
		}
	}()
	return p
}

// until waits for an event and reports whether it came before the command ended.
func (p *process) until(match func(events.Event) bool) bool {
	for e := range p.lines {
		p.seen = append(p.seen, e)
		if match(e) {
			return true
		}
	}
	return false
}

func (p *process) signal(s syscall.Signal) {
	p.s.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.s.t.Fatal(err)
	}
}

func (p *process) wait() *result {
	p.s.t.Helper()
	for e := range p.lines {
		p.seen = append(p.seen, e)
	}
	p.cmd.Wait()
	return &result{
		t: p.s.t, args: p.args, code: p.cmd.ProcessState.ExitCode(), events: p.seen,
		stdout: p.raw.String(), stderr: p.stderr.String(),
	}
}

// want fails the test unless the command ended with this exit code.
func (r *result) want(code int) *result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("infrarun %s: exit code %d, want %d\n%s\n%s", strings.Join(r.args, " "), r.code, code, r.failure(), r.stderr)
	}
	return r
}

// failure sums up why a run failed.
func (r *result) failure() string {
	var b strings.Builder
	for _, e := range r.events {
		switch {
		case e.Outcome != nil:
			fmt.Fprintf(&b, "%s: %s left=%v\n", e.Outcome.Result, e.Outcome.Error, e.Outcome.Left)
		case e.Kind == events.ChangeFinished && e.Change.Status == events.Would && r.code == 2:
			fmt.Fprintf(&b, "would %s %s\n", e.Change.Call, e.Change.Target)
		case e.Check != nil && !e.Check.OK:
			fmt.Fprintf(&b, "check %s: %s\n", e.Check.Name, e.Check.Detail)
		case e.Error != "":
			fmt.Fprintf(&b, "%s: %s\n", e.Kind, e.Error)
		case e.Level == "warn" || e.Level == "error":
			fmt.Fprintf(&b, "%s: %s\n", e.Level, e.Text)
		}
	}
	return b.String()
}

// backupTime is the name of a backup, which a preview makes at another time.
var backupTime = regexp.MustCompile(`backup-[0-9]{8}-[0-9]{6}`)

// changes lists the changes with this status, as "call target", in order.
func (r *result) changes(status events.Status) []string {
	var list []string
	for _, e := range r.events {
		if e.Kind == events.ChangeFinished && e.Change.Status == status {
			list = append(list, backupTime.ReplaceAllString(e.Change.Call+" "+e.Change.Target, "backup-TIME"))
		}
	}
	return list
}

func (r *result) outcome() events.Outcome {
	r.t.Helper()
	for _, e := range r.events {
		if e.Outcome != nil {
			return *e.Outcome
		}
	}
	r.t.Fatalf("no outcome in %s\n%s", r.stdout, r.stderr)
	return events.Outcome{}
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

// rollbackTook returns how long it took to put everything back.
func (r *result) rollbackTook() time.Duration {
	var began time.Time
	for _, e := range r.events {
		switch {
		case e.Kind == events.RollbackStarted:
			began = e.Time
		case e.Outcome != nil && !began.IsZero():
			return e.Time.Sub(began)
		}
	}
	return 0
}
