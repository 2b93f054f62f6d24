package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
)

// manage runs a management command on the site.
func (s *site) manage(args ...string) *result {
	s.t.Helper()
	return s.infrarun(append([]string{"recipes/manage.star"}, append(args, "--prefix="+s.prefix)...)...)
}

// shown is everything that an operator reads of a run: messages, tables, checks and the outcome.
func (r *result) shown() string {
	var b strings.Builder
	for _, e := range r.events {
		switch {
		case e.Facts != nil:
			fmt.Fprintln(&b, e.Facts.Title, e.Facts.Columns)
			for _, row := range e.Facts.Rows {
				fmt.Fprintln(&b, strings.Join(row, " | "))
			}
		case e.Check != nil:
			fmt.Fprintln(&b, e.Check.Name, e.Check.OK, e.Check.Detail)
		case e.Kind == events.Log:
			fmt.Fprintln(&b, e.Text)
		case e.Outcome != nil:
			fmt.Fprintln(&b, e.Outcome.Error)
		}
	}
	return b.String()
}

// unchanged fails the test if the run made a change, or its preview found one.
func (r *result) unchanged() *result {
	r.t.Helper()
	if made := append(r.changes(events.Done), r.changes(events.Would)...); len(made) > 0 {
		r.t.Errorf("infrarun %s changes %v", strings.Join(r.args, " "), made)
	}
	return r
}

// secret is the one that the services have.
func (s *site) secret() string {
	s.t.Helper()
	data, err := os.ReadFile(filepath.Join(s.prefix, "etc/infra-core/infra-core.env"))
	if err != nil {
		s.t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(data), "INFRA_CORE_JWT_SECRET=")
	value, _, _ := strings.Cut(after, "\n")
	return strings.Trim(value, `"'`)
}

// TestManageNothing has every command meet a place at which nothing is deployed.
func TestManageNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, &repo{t: t, dir: t.TempDir()})
	before := s.tree()
	for _, command := range []string{
		"status", "logs", "restart", "stop", "start", "update", "backup", "troubleshoot", "test-api", "test-install", "uninstall",
	} {
		for _, mode := range []string{"--dry-run", "--yes"} {
			s.manage(command, mode).want(1).unchanged().says("there is no deployment in " + s.prefix)
		}
	}
	s.manage("rollback").want(1).says("there is none in")
	s.manage("restore", "--yes").want(1).says("there is no complete backup")
	s.manage("backups").want(0).says("there are no backups")
	s.infrarun("recipes/manage.star").want(1)
	if r := s.infrarun("recipes/manage.star", "stauts").want(1); !strings.Contains(r.stdout+r.stderr, "status") {
		t.Errorf("a misspelt command ends with %s%s", r.stdout, r.stderr)
	}
	s.sameTree(before)
}

func TestManage(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	s.deploy("deploy.star").want(0)
	for _, part := range []struct {
		name string
		test func(*testing.T, *site)
	}{
		{"healthy", testManageHealthy},
		{"api", testManageAPI},
		{"restart", testManageRestart},
		{"configure", testManageConfigure},
		{"asked", testManageAsked},
		{"releases", testManageReleases},
		{"backups", testManageBackups},
		{"stopped", testManageStopped},
		{"uninstall", testManageUninstall},
	} {
		t.Run(part.name, func(t *testing.T) { part.test(t, s.in(t)) })
	}
}

// testManageHealthy looks at a healthy deployment in every way. Nothing may change by that.
func testManageHealthy(t *testing.T, s *site) {
	before, pids := s.tree(), s.processes()
	console := fmt.Sprintf("http://localhost:%d/api/v1/health", s.ports["console"])
	for _, mode := range [][]string{nil, {"--dry-run"}} {
		s.manage(append([]string{"status"}, mode...)...).want(0).unchanged().
			says("InfraCore is healthy", s.current(), s.version(), "start scripts", "development", console, "whole", "deploy.star: succeeded")
		s.manage(append([]string{"test-install"}, mode...)...).want(0).unchanged().says("Files of the release true")
		s.manage(append([]string{"logs", "--service=orch", "--lines=1"}, mode...)...).want(0).unchanged().says("service=orch")
		s.manage(append([]string{"backups"}, mode...)...).want(0).unchanged()
	}
	s.manage("start").want(0).unchanged()
	s.manage("logs", "--service=nobody").want(1).says(`there is no service "nobody"; there are orch`)
	s.sameTree(before)
	if diff := cmp.Diff(pids, s.processes()); diff != "" {
		t.Errorf("looking changed the processes:\n%s", diff)
	}
	t.Run("troubleshoot", func(t *testing.T) { testManageBundle(t, s.in(t)) })
	t.Run("follow", func(t *testing.T) { testManageFollow(t, s.in(t)) })
}

// testManageBundle has a bundle written and looks for secrets in it.
func testManageBundle(t *testing.T, s *site) {
	file := filepath.Join(s.dir, "bundle.tar.zst")
	s.manage("troubleshoot", "--dry-run").want(2)
	s.manage("troubleshoot", "--bundle="+file).want(0).says("nothing is wrong that could be found", file)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the bundle is %v (%v)", info, err)
	}
	dir := t.TempDir()
	if out, err := exec.Command("tar", "--zstd", "-xf", file, "-C", dir).CombinedOutput(); err != nil {
		t.Fatalf("unpack the bundle: %v\n%s", err, out)
	}
	files := all(t, dir)
	var names []string
	for name, content := range files {
		names = append(names, filepath.Base(name))
		if strings.Contains(content, s.secret()) {
			t.Errorf("%s in the bundle has the secret", name)
		}
	}
	slices.Sort(names)
	for _, want := range []string{"console.log", "gate.log", "report.json", "settings.env"} {
		if !slices.Contains(names, want) {
			t.Errorf("the bundle has no %s: %v", want, names)
		}
	}
	for name, content := range files {
		var report struct{ Services []struct{ Running bool } }
		if filepath.Base(name) == "report.json" {
			if err := json.Unmarshal([]byte(content), &report); err != nil || len(report.Services) != 5 || !report.Services[0].Running {
				t.Errorf("the report is %s (%v)", content, err)
			}
		}
	}
}

// testManageFollow follows a log and ends it as Ctrl-C does.
func testManageFollow(t *testing.T, s *site) {
	runs := s.infrarun("runs").stdout
	p := s.start("recipes/manage.star", "logs", "--follow", "--service=orch", "--prefix="+s.prefix)
	if !p.until(func(e events.Event) bool { return e.Kind == events.Log && strings.Contains(e.Text, "service=orch") }) {
		t.Fatalf("the log ended: %s", p.wait().failure())
	}
	if code, _, err := s.get("orch", "/no-such-path"); err != nil {
		t.Fatalf("orch answers %d: %v", code, err)
	}
	if !p.until(func(e events.Event) bool { return strings.Contains(e.Text, "no-such-path") }) {
		t.Fatalf("the log ended: %s", p.wait().failure())
	}
	s.manage("start").want(0) // nothing waits for somebody who looks
	started := s.infrarun("runs").stdout
	p.signal(syscall.SIGINT)
	if r := p.wait().want(130); r.outcome().Error != "" || r.outcome().Mode != events.ModeLook {
		t.Errorf("it ends with %+v", r.outcome())
	}
	if ended := s.infrarun("runs").stdout; ended != started || len(ended) <= len(runs) {
		t.Errorf("the runs were\n%s\nand are\n%s", runs, ended)
	}
}
