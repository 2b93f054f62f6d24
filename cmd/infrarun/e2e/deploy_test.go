package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestDeploy(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	preview := s.deploy("deploy.star", "--dry-run").want(2)
	run := s.deploy("deploy.star").want(0)

	wantSame(t, preview, run)
	if len(run.changes(events.Done)) < 15 {
		t.Errorf("only %d changes", len(run.changes(events.Done)))
	}
	if o := run.outcome(); o.Result != events.Succeeded || o.ExitCode != 0 {
		t.Errorf("outcome is %+v", o)
	}
	for _, path := range []string{"/health", "/api/v1/health", "/orchestrator/health", "/probe/health", "/snap/health"} {
		if code, body, err := s.get("http", path); err != nil || code != http.StatusOK {
			t.Errorf("through the gate, %s answers %d %s %v", path, code, body, err)
		}
	}

	t.Run("again", func(t *testing.T) {
		before := s.tree()
		again := s.deploy("deploy.star", "--dry-run").want(0)
		if o := again.outcome(); o.Result != events.NoChange || o.Changes != 0 {
			t.Errorf("a preview of the same deployment finds %d changes: %v", o.Changes, again.changes(events.Would))
		}
		if made := s.deploy("deploy.star").want(0).changes(events.Done); len(made) > 0 {
			t.Errorf("the same deployment changed %v", made)
		}
		s.sameTree(before)
	})

	t.Run("update", func(t *testing.T) { testUpdate(t, s) })
}

// testUpdate brings a new version of one service to a deployed site.
func testUpdate(t *testing.T, s *site) {
	pids := s.processes()
	s.repo.write("cmd/orch/note.go", "package main\n\n// A change that concerns the orchestrator alone.\n")
	release := s.repo.commit("change the orchestrator")

	s.deploy("update.star", "--env=staging").want(1).says("is for development", "--env development updates it")
	preview := s.deploy("update.star", "--dry-run").want(2)
	asked := s.ask(t)
	run := s.deploy("update.star").want(0)
	asked.changed("orch")
	wantSame(t, preview, run)
	now := s.processes()
	for name, pid := range pids {
		if changed := now[name] != pid; changed != (name == "orch") {
			t.Errorf("%s: process %s before, %s after an update of the orchestrator", name, pid, now[name])
		}
	}
	builds := slices.DeleteFunc(run.changes(events.Done), func(c string) bool { return !strings.Contains(c, "build ") })
	if len(builds) != 1 || !strings.Contains(builds[0], "orch") {
		t.Errorf("an update of the orchestrator built %v", builds)
	}
	if target, _ := os.Readlink(filepath.Join(s.prefix, "opt/infra-core/current")); target != "releases/"+release {
		t.Errorf("current is %s, want releases/%s", target, release)
	}

	s.repo.write("cmd/console/broken.go", exitsAtStart)
	s.repo.commit("break the console")
	before := s.tree()
	s.deploy("update.star", "--timeout=4").want(3)
	s.sameTree(before)
	if !strings.HasPrefix(release, s.current()) {
		t.Errorf("after a failed update %s is current, want %s", s.current(), release)
	}
	s.version()
}

// processes returns what the start scripts know of the services' processes, by service.
func (s *site) processes() map[string]string {
	s.t.Helper()
	found := map[string]string{}
	for _, name := range []string{"console", "gate", "orch", "probe", "snap"} {
		data, err := os.ReadFile(filepath.Join(s.prefix, "opt/infra-core/services", name+".pid"))
		if err != nil {
			s.t.Fatal(err)
		}
		found[name] = string(data)
	}
	return found
}

// current returns the name of the current release.
func (s *site) current() string {
	s.t.Helper()
	target, err := os.Readlink(filepath.Join(s.prefix, "opt/infra-core/current"))
	if err != nil {
		s.t.Fatal(err)
	}
	return filepath.Base(target)
}

func TestRollbackOfASuccessfulDeploy(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	s.deploy("deploy.star").want(0)
	first, before := s.version(), s.tree()

	s.repo.write("cmd/gate/note.go", "package main\n")
	s.repo.commit("version 2")
	s.deploy("deploy.star", "--backup").want(0)
	if s.version() == first {
		t.Fatalf("version 2 says that it is %s", first)
	}
	backups, _ := filepath.Glob(filepath.Join(s.prefix, "opt/infra-core/backups/backup-*/console.db"))
	if len(backups) != 1 {
		t.Errorf("there are %d backups of the database", len(backups))
	}

	s.infrarun("rollback").want(0)
	if got := s.version(); got != first {
		t.Errorf("after the rollback %s runs, want %s", got, first)
	}
	s.sameTree(before)

	s.infrarun("rollback").want(0) // the first deployment
	if left := s.tree(); len(left) > 1 {
		t.Errorf("after the first deployment is rolled back there is %v", left)
	}
	s.infrarun("rollback").want(1)
}
