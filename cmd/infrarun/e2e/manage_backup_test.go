package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func testManageBackups(t *testing.T, s *site) {
	s.previewed("backup")
	s.manage("backups", "--verify").want(0).unchanged().says(s.current(), "whole")
	s.note("written later")
	s.manage("restore", "--dry-run").want(2).says("stays as it is")
	s.manage("restore", "--yes", "--stable=0").want(0)
	if !s.has("/api/v1/notes", "written later") {
		t.Error("the database was restored although nobody asked for it")
	}
	s.manage("restore", "--with-database", "--dry-run").want(2).says("rows", "in the backup")
	s.manage("restore", "--with-database").want(1).unchanged() // nobody says yes
	s.manage("restore", "--with-database", "--yes", "--stable=0", s.neverHealthy()).want(3)
	s.ready()
	if !s.has("/api/v1/notes", "written later") {
		t.Error("a restore that failed has not put the database back")
	}
	s.manage("rollback", "--to-backup=latest", "--with-database", "--yes", "--stable=0").want(0).says("discarded since: notes")
	if s.has("/api/v1/notes", "written later") {
		t.Error("the database was not restored")
	}
	s.manage("rollback", "--to-backup=20010101").want(1).unchanged().says("there is no backup 20010101")
	s.manage("rollback", "--to-backup=latest", "--to=x").want(1).unchanged()

	parts, _ := filepath.Glob(filepath.Join(s.prefix, "opt/infra-core/backups/backup-*/etc.tar.zst"))
	if len(parts) != 1 {
		t.Fatalf("there are %v", parts)
	}
	if err := os.WriteFile(parts[0], []byte("no archive"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.manage("backups", "--verify").want(1).unchanged().says("1 of 1 backups cannot be restored", "etc.tar.zst")
	s.manage("restore", "--yes").want(1).unchanged().says("is damaged, and is not restored", "etc.tar.zst")
}

func testManageUninstall(t *testing.T, s *site) {
	s.manage("backup").want(0)
	s.note("outlives it")
	before := s.tree()
	s.manage("uninstall").want(1).unchanged() // nobody says yes
	s.previewed("uninstall")
	left := s.tree()
	for name := range left {
		if strings.HasPrefix(name, "etc/infra-core") || strings.HasPrefix(name, "opt/infra-core/releases") {
			t.Errorf("%s is left", name)
		}
	}
	for _, name := range []string{"opt/infra-core/backups", "var/lib/infra-core/console.db"} {
		if _, err := os.Stat(filepath.Join(s.prefix, name)); err != nil {
			t.Error(err)
		}
	}
	if _, _, err := s.get("console", "/health"); err == nil {
		t.Error("the console still answers")
	}
	s.manage("status").want(1).says("there is no deployment")
	s.infrarun("rollback").want(0)
	s.sameTree(before)
	s.ready()
	if !s.has("/api/v1/notes", "outlives it") {
		t.Error("the data is not what it was")
	}

	// What stays is enough to bring it back.
	s.manage("uninstall", "--yes").want(0)
	s.previewed("restore", "--with-database")
	s.manage("status").want(0)
	if s.has("/api/v1/notes", "outlives it") {
		t.Error("the database is not that of the backup")
	}
	s.manage("test-install").want(0)

	s.previewed("uninstall", "--purge")
	for _, dir := range []string{"opt/infra-core", "etc/infra-core", "var/lib/infra-core", "var/log/infra-core"} {
		if _, err := os.Lstat(filepath.Join(s.prefix, dir)); !os.IsNotExist(err) {
			t.Errorf("%s is left after a purge (%v)", dir, err)
		}
	}
}
