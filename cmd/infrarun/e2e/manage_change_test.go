package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
)

// neverHealthy is a site file with which no stack is healthy.
func (s *site) neverHealthy() string {
	s.t.Helper()
	name := filepath.Join(s.dir, "never.star")
	const text = `load("@stdlib//checks.star", "check", "failed")

def bad(d):
    return failed("bad on purpose")

def customize(flow):
    flow.add_check(check("bad", bad, required = True))
`
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return "--site=" + name
}

// note writes a note as a client does.
func (s *site) note(text string) {
	s.t.Helper()
	url := "http://127.0.0.1:" + strconv.Itoa(s.ports["http"]) + "/api/v1/notes"
	resp, err := http.Post(url, "application/json", strings.NewReader(fmt.Sprintf(`{"text": %q}`, text)))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		s.t.Fatalf("writing a note ends with %s", resp.Status)
	}
}

// ready waits until the stack answers after a rollback, which starts the services and does not wait for them.
func (s *site) ready() {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		code, body, err := s.get("http", "/api/v1/health")
		if err == nil && code == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the stack does not answer: %d %s %v", code, body, err)
		}
	}
}

// has reports whether the answer to a path, through the gate, has a text in it.
func (s *site) has(path, text string) bool {
	s.t.Helper()
	code, body, err := s.get("http", path)
	if err != nil || code != http.StatusOK {
		s.t.Fatalf("%s answers %d %s (%v)", path, code, body, err)
	}
	return strings.Contains(body, text)
}

// previewed runs a command after its preview, and checks that both list the same changes.
func (s *site) previewed(args ...string) *result {
	s.t.Helper()
	preview := s.manage(append(args, "--dry-run")...).want(2)
	done := s.manage(append(args, "--yes", "--stable=0")...).want(0)
	wantSame(s.t, preview, done)
	return done
}

func testManageAPI(t *testing.T, s *site) {
	r := s.manage("test-api").want(0).unchanged().says("read the note | ok", "remove the workload | ok", "health of snap through the gate by https | ok")
	if strings.Contains(r.stdout, "eyJ") {
		t.Error("a token is in the output")
	}
	if s.has("/orchestrator/workloads", "infrarun-test") {
		t.Error("the workload of the test is still there")
	}
	_, before, _ := s.get("http", "/api/v1/notes")
	for _, flag := range []string{"--no-write", "--dry-run"} {
		s.manage("test-api", flag).want(0).unchanged().says("list the notes | ok")
	}
	if _, after, _ := s.get("http", "/api/v1/notes"); after != before {
		t.Errorf("notes were %s, and are %s after a test that only reads", before, after)
	}
}

func testManageRestart(t *testing.T, s *site) {
	before := s.processes()
	done := s.previewed("restart", "--service=gate,orch").changes(events.Done)
	want := []string{"process.stop orch", "process.start orch", "process.stop gate", "process.start gate"}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("restart (-want +got):\n%s", diff)
	}
	for name, pid := range s.processes() {
		if changed := pid != before[name]; changed != (name == "gate" || name == "orch") {
			t.Errorf("%s: process %s before, %s after a restart of gate and orch", name, before[name], pid)
		}
	}
	s.version()
}

func testManageConfigure(t *testing.T, s *site) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().(*net.TCPAddr).Port
	free := freePorts(t, 1)[0]
	before := s.tree()
	for args, says := range map[string]string{
		fmt.Sprintf("--set=http_port=%d", taken):                   fmt.Sprintf("port %d is taken by", taken),
		"--set=http_port=70000":                                    "want a port",
		fmt.Sprintf("--set=http_port=%d", s.ports["console"]):      "each needs a port of its own",
		"--set=INFRA_CORE_DATA_DIR=/":                              "deploy.star sets it",
		"--set=INFRA_CORE_GATE_PORT=1":                             "there is no such setting",
		"--set=INFRA_CORE_JWT_SECRET=abcdefghijklmnopqrstuvwxyz12": "others could read it",
		"": "nobody can be asked",
	} {
		words := []string{"configure"}
		if args != "" {
			words = append(words, args)
		}
		s.manage(words...).want(1).unchanged().says(says)
	}
	change := fmt.Sprintf("--set=http_port=%d", free)
	s.manage("configure", change).want(1).unchanged() // nobody says yes
	old := s.secret()
	s.manage("configure", change, "--new-secret", "--yes", "--stable=0", s.neverHealthy()).want(3).says("bad on purpose")
	s.sameTree(before)
	s.ready()

	r := s.previewed("configure", change, "--new-secret")
	s.ports["http"] = free
	s.version()
	if now := s.secret(); now == old || len(now) < 32 {
		t.Error("the secret is no new one")
	}
	for _, secret := range []string{old, s.secret()} {
		if strings.Contains(r.stdout, secret) {
			t.Error("a secret is in the output")
		}
	}
	s.manage("configure", change).want(0).unchanged().says("nothing changes")
	s.manage("status").want(0).says(strconv.Itoa(free))
}

func testManageReleases(t *testing.T, s *site) {
	first, version := s.current(), s.version()
	s.repo.write("cmd/console/note.go", "package main\n")
	second := s.repo.commit("version 2")
	s.manage("rollback").want(1).unchanged().says("there is no other release")
	s.previewed("update", "--repo="+s.repo.dir, "--no-ui", "--no-backup")
	if now := s.current(); now != second || s.version() == version {
		t.Fatalf("after an update to %s, %s of version %s is current", second, now, s.version())
	}

	before := s.tree()
	s.manage("rollback", "--to=none").want(1).unchanged().says(first, second+", ", "current")
	s.manage("rollback", "--stable=0", s.neverHealthy()).want(3).says("bad on purpose")
	s.sameTree(before)
	s.ready()

	s.previewed("rollback")
	if now := s.current(); now != first || s.version() != version {
		t.Errorf("after a rollback %s of version %s is current, want %s of %s", now, s.version(), first, version)
	}
	s.manage("status").want(0).says(first, version)
	s.previewed("rollback", "--to="+second[:6])
	if now := s.current(); now != second || s.version() == version {
		t.Errorf("after a rollback to %s %s of version %s is current", second, now, s.version())
	}
	s.manage("test-install").want(0)
}

func testManageStopped(t *testing.T, s *site) {
	done := s.previewed("stop").changes(events.Done)
	want := []string{"process.stop gate", "process.stop console", "process.stop snap", "process.stop probe", "process.stop orch"}
	if diff := cmp.Diff(want, done); diff != "" {
		t.Errorf("stop (-want +got):\n%s", diff)
	}
	s.manage("stop").want(0).unchanged()
	s.manage("status").want(1).unchanged().says("no service runs", "manage.star start starts them", "connection refused")
	s.manage("status", "--dry-run").want(1).unchanged()
	s.manage("logs").want(0).unchanged().says("service=console")
	s.manage("test-api").want(1).unchanged().says("connection refused")
	s.manage("test-install").want(1).unchanged().says("nobody listens on", "Record and settings true")
	s.manage("troubleshoot").want(0).says("no service runs")
	s.previewed("start", "--service=orch")
	s.manage("status").want(1).says("console does not run", "manage.star start --service console")
	s.previewed("start")
	s.manage("status").want(0)
}
