package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// TestManageBroken breaks a deployment in one way after the other. The commands must name what is wrong, refuse what
// cannot work, and repair what they say they repair.
func TestManageBroken(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	s.deploy("deploy.star").want(0)
	s.manage("backup").want(0)
	for _, part := range []struct {
		name string
		test func(*testing.T, *site)
	}{
		{"current leads nowhere", testBrokenLink},
		{"release is gone", testBrokenRelease},
		{"console dies", testBrokenConsole},
		{"database is damaged", testBrokenDatabase},
		{"port is taken", testBrokenPort},
		{"record is damaged", testBrokenRecord},
		{"settings are missing", testBrokenSettings},
	} {
		t.Run(part.name, func(t *testing.T) {
			part.test(t, s.in(t))
			s.in(t).manage("status").want(0).says("InfraCore is healthy")
		})
	}
}

func testBrokenLink(t *testing.T, s *site) {
	release, link := s.current(), filepath.Join(s.prefix, "opt/infra-core/current")
	if err := os.Remove(link); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("releases/none", link); err != nil {
		t.Fatal(err)
	}
	const why = "leads to releases/none, which does not exist"
	s.manage("status").want(1).unchanged().says(why, "manage.star rollback --to RELEASE")
	s.manage("test-install").want(1).unchanged().says(why)
	s.manage("troubleshoot", "--bundle="+filepath.Join(s.dir, "link.tar.zst")).want(0).says(why)
	for _, command := range []string{"restart", "start", "configure", "test-api"} {
		s.manage(command, "--yes").want(1).unchanged().says(why)
	}
	s.previewed("stop")
	s.previewed("rollback", "--to="+release)
}

func testBrokenRelease(t *testing.T, s *site) {
	release := filepath.Join(s.prefix, "opt/infra-core/releases", s.current())
	if err := os.RemoveAll(release); err != nil {
		t.Fatal(err)
	}
	s.manage("status").want(1).unchanged().says("which does not exist")
	s.manage("rollback").want(1).unchanged().says("there is no other release", "there is none in")
	s.manage("restore", "--dry-run").want(2)
	s.manage("restore", "--yes", "--stable=0").want(0)
	if _, err := os.Stat(filepath.Join(release, "bin/gate")); err != nil {
		t.Error(err)
	}
	s.manage("test-install").want(0)
}

func testBrokenConsole(t *testing.T, s *site) {
	program := filepath.Join(s.prefix, "opt/infra-core/current/bin/console")
	script := filepath.Join(s.prefix, "opt/infra-core/services/console.sh")
	if err := os.Rename(program, program+".good"); err != nil {
		t.Fatal(err)
	}
	const dies = "#!/bin/sh\necho 'level=ERROR msg=\"boom on purpose\"'\nexit 1\n"
	if err := os.WriteFile(program, []byte(dies), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(script, "stop").CombinedOutput(); err != nil {
		t.Fatalf("stop the console: %v\n%s", err, out)
	}
	s.manage("restart", "--service=console", "--timeout=3").want(3).says("console did not come back", "boom on purpose")
	s.manage("status").want(1).unchanged().says("console does not run", "boom on purpose", "manage.star start --service console")
	s.manage("logs", "--service=console").want(0).says("boom on purpose")
	s.manage("test-api").want(1).unchanged().says("health of console: connection refused", "make a token")
	s.manage("troubleshoot", "--bundle="+filepath.Join(s.dir, "console.tar.zst")).want(0).says("boom on purpose")

	if err := os.Rename(program+".good", program); err != nil {
		t.Fatal(err)
	}
	s.previewed("start", "--service=console")
}

func testBrokenDatabase(t *testing.T, s *site) {
	s.manage("stop").want(0)
	database := filepath.Join(s.prefix, "var/lib/infra-core/console.db")
	if err := os.WriteFile(database, []byte("this is no database, and never was one; it only has its name\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, beside := range []string{"-wal", "-shm"} {
		os.Remove(database + beside)
	}
	const repair = "manage.star rollback --to-backup backup-"
	s.manage("status").want(1).unchanged().says("console.db is damaged", repair)
	s.manage("start", "--timeout=3").want(3).says("console did not come back")
	s.manage("troubleshoot", "--bundle="+filepath.Join(s.dir, "database.tar.zst")).want(0).says("console.db is damaged", repair)
	s.manage("backup").want(3).says("console.db")
	s.manage("restore", "--with-database", "--yes", "--stable=0").want(0).says("what is lost cannot be told")
	s.note("after the repair")
}

func testBrokenPort(t *testing.T, s *site) {
	s.manage("stop").want(0)
	port := s.ports["snap"]
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	who := fmt.Sprintf("port %d of snap is taken by", port)
	pid := fmt.Sprintf("process %d", os.Getpid())
	s.manage("status").want(1).unchanged().says(who, pid, "manage.star configure --set INFRA_CORE_SNAP_PORT=PORT")
	s.manage("test-install").want(1).unchanged().says(fmt.Sprintf("%d of snap is taken by", port))
	s.manage("start").want(3).says(strconv.Itoa(port))

	s.ports["snap"] = freePorts(t, 1)[0]
	s.manage("configure", fmt.Sprintf("--set=snap_port=%d", s.ports["snap"]), "--yes", "--stable=0").want(0)
}

func testBrokenRecord(t *testing.T, s *site) {
	s.manage("backup").want(0)
	record := filepath.Join(s.prefix, "etc/infra-core/deployment.json")
	if err := os.WriteFile(record, []byte(`{"repo": `), 0o644); err != nil {
		t.Fatal(err)
	}
	const why = "deployment.json, which says what is deployed, is damaged"
	s.manage("status").want(1).unchanged().says(why, "manage.star rollback --to-backup")
	s.manage("restart").want(1).unchanged().says(why)
	s.manage("test-install").want(1).unchanged().says(why)
	s.manage("troubleshoot", "--bundle="+filepath.Join(s.dir, "record.tar.zst")).want(0).says(why)
	s.manage("restore", "--yes", "--stable=0").want(0)
}

func testBrokenSettings(t *testing.T, s *site) {
	if err := os.Remove(filepath.Join(s.prefix, "etc/infra-core/infra-core.env")); err != nil {
		t.Fatal(err)
	}
	const why = "infra-core.env, which has the settings of the services, is missing"
	s.manage("status").want(1).unchanged().says(why)
	s.manage("restart").want(1).unchanged().says(why)
	s.manage("troubleshoot", "--bundle="+filepath.Join(s.dir, "settings.tar.zst")).want(0).says(why)
	s.manage("restore", "--yes", "--stable=0").want(0)
}
