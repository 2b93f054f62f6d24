package server

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestServer(t *testing.T) {
	s := Start(t)
	if got := s.Must("cat", "/proc/1/comm"); got != "systemd\n" {
		t.Errorf("process 1 is %q", got)
	}
	if failed := s.Must("systemctl", "--failed", "--no-legend"); failed != "" {
		t.Errorf("units failed at boot:\n%s", failed)
	}
	if r := s.ExecInput("in", "sh", "-c", "cat; echo err >&2; exit 7"); r != (Result{7, "in", "err\n"}) {
		t.Errorf("a command gave %+v", r)
	}
	if s.Address() == "" {
		t.Error("it has no address")
	}
}

func TestSnapshotTellsEveryChange(t *testing.T) {
	s := Start(t)
	before := s.Snapshot()
	if before["user root"] == "" || before["package git"] == "" || before["unit dbus.service"] != "loaded active running" {
		t.Fatalf("the snapshot lacks much:\n%v", before)
	}
	Same(t, before, s.Snapshot())

	s.Write("/etc/new dir/file", "one\n", 0o640)
	s.Write("/run/unseen", "", 0o600)
	s.Must("chmod", "0600", "/etc/passwd")
	s.Must("useradd", "--system", "somebody")
	s.Must("systemctl", "stop", "systemd-logind")
	s.Must("ln", "-sfn", "elsewhere", "/etc/localtime")
	s.Must("rm", "/etc/debian_version")
	diff := strings.Join(Diff(before, s.Snapshot(), append(slices.Clone(Volatile), "file /etc/*-", "file /etc/*shadow")...), "\n")
	for _, want := range []string{
		"+ file /etc/new dir/file: f 640 root:root 2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806",
		"+ file /etc/new dir: d 755 root:root",
		"~ file /etc/passwd: f 644", "+ user somebody", "+ group somebody",
		"~ unit systemd-logind.service: loaded active running -> loaded inactive dead",
		"elsewhere", "- file /etc/debian_version",
	} {
		if !strings.Contains(diff, want) {
			t.Errorf("the difference lacks %q", want)
		}
	}
	if strings.Contains(diff, "/run/") {
		t.Error("what is in /run counts")
	}
	if t.Failed() {
		t.Logf("the difference:\n%s", diff)
	}
}

func TestRestartKeepsFiles(t *testing.T) {
	s := Start(t)
	boot := s.Must("systemctl", "show", "--property", "UserspaceTimestampMonotonic")
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.CopyIn(file, "/opt/kept", 0o751)
	s.Restart()
	if got := s.Must("stat", "-c", "%a %U", "/opt/kept") + s.Must("cat", "/opt/kept"); got != "751 root\nkept" {
		t.Errorf("after the restart the file is %q", got)
	}
	if again := s.Must("systemctl", "show", "--property", "UserspaceTimestampMonotonic"); again == boot {
		t.Error("it did not restart")
	}
}

// The server installs packages as this machine does.
func TestPackages(t *testing.T) {
	s := Start(t)
	s.Must("apt-get", "-q", "update")
	s.Must("apt-get", "-q", "install", "--yes", "--no-install-recommends", "tree")
	if got := s.Must("tree", "--version"); !strings.HasPrefix(got, "tree") {
		t.Errorf("tree says %q", got)
	}
}

func TestServersAreApart(t *testing.T) {
	one, two := Start(t), Start(t)
	one.Write("/etc/one", "1", 0o644)
	if r := two.Exec("cat", "/etc/one"); r.Code == 0 {
		t.Error("a file on one server is on the other")
	}
	if one.Address() == two.Address() {
		t.Errorf("both have the address %s", one.Address())
	}
	if one.Must("cat", "/etc/machine-id") == two.Must("cat", "/etc/machine-id") {
		t.Error("both have the same machine id")
	}
	t.Run("and gone after the test", func(t *testing.T) {
		var s *Server
		t.Run("a test", func(t *testing.T) { s = Start(t) })
		if _, err := s.engine.docker(context.Background(), "inspect", s.Name); err == nil {
			t.Error("the server is still there")
		}
	})
}

func TestOnServer(t *testing.T) {
	Run(t, map[string]func(*testing.T){
		"root": func(t *testing.T) {
			if os.Geteuid() != 0 {
				t.Error("the test does not run as root")
			}
		},
		"systemd": func(t *testing.T) {
			if comm, err := os.ReadFile("/proc/1/comm"); string(comm) != "systemd\n" {
				t.Errorf("process 1 is %q, %v", comm, err)
			}
		},
	})
}
