// Package server gives a test a fresh Debian server: a container in which a real systemd is process 1 and apt installs
// real packages.
//
//	s := server.Start(t)
//	s.Must("systemctl", "is-active", "dbus.service")
//	before := s.Snapshot()
//	…
//	server.Same(t, before, s.Snapshot())
//
// A server starts in about a second, has a network of its own, and is removed when the test ends. Tests of a package
// that must themselves run on one are compiled and run there with [Run].
//
// A machine needs a Docker engine that runs, or root on Debian: then the missing packages are installed, an engine of
// the tests' own is started, and stopped when the last test process that uses it ends. The image of the server is made
// once, with debootstrap, from the mirror that the machine's own apt uses. Everything is kept outside of the repository,
// in ${INFRARUN_TEST_CACHE:-~/.cache/infrarun-test}. A machine that cannot do this skips the test, or fails it where CI
// is "true".
//
// The package knows nothing of infrarun; only tests import it.
//
//	server.go            starting a server, running commands on it
//	snapshot.go          everything on it, to compare
//	inside.go            running tests on it
//	image.go image.sh    the image it starts from
//	apt.go               how it reaches packages, as this machine does
//	engine.go engine.sh  the Docker engine
//	cache.go             where what outlives the tests is
//	needs.go             what tests need of this machine: installing it, skipping without it
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Server is a running server.
type Server struct {
	Name string // of its container

	t      testing.TB
	engine *engine
	sums   map[string]string // of contents of files, by inode and when it changed
}

// Result is what a command did on a server.
type Result struct {
	Code           int // exit status
	Stdout, Stderr string
}

var started atomic.Uint64

// bootTimeout is how long a server has to start. It takes a second; the rest is for a machine that is busy.
const bootTimeout = 2 * time.Minute

// Start returns a server that has just started. It is removed when the test ends.
func Start(t testing.TB) *Server {
	t.Helper()
	return start(t, "")
}

// Image is a server as it was at a moment, for others to start from.
type Image string

// Image keeps all that is on the disk of the server. The image is removed when the test ends. What runs on the server
// goes on; on one that starts from the image it is as after a power cut.
func (s *Server) Image() Image {
	s.t.Helper()
	image := Image(fmt.Sprintf("%s:image-%d", s.Name, started.Add(1)))
	if _, err := s.engine.docker(context.Background(), "commit", s.Name, string(image)); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if _, err := s.engine.docker(context.Background(), "rmi", "--force", string(image)); err != nil {
			s.t.Errorf("remove the image of the server: %v", err)
		}
	})
	return image
}

// Start returns a server that has just started, from the image. It is removed when the test ends.
func (i Image) Start(t testing.TB) *Server {
	t.Helper()
	return start(t, i)
}

func start(t testing.TB, image Image) *Server {
	t.Helper()
	e, err := theEngine()
	if err == nil {
		err = e.prepareImage()
	}
	var missing Unavailable
	if errors.As(err, &missing) {
		Skip(t, missing)
	} else if err != nil {
		t.Fatalf("a server for the test: %v", err)
	}
	if image == "" {
		image = Image(e.image)
	}
	s := &Server{Name: fmt.Sprintf("infrarun-test-%d-%d", os.Getpid(), started.Add(1)), t: t, engine: e}
	t.Cleanup(s.remove)
	if _, err := e.docker(context.Background(), append(s.runArgs(), string(image), "/sbin/init")...); err != nil {
		t.Fatalf("start a server: %v", err)
	}
	s.waitUntilBooted()
	return s
}

// runArgs are the rights and mounts that systemd needs to be process 1. It is not --privileged: that takes rights that
// the machine itself may not have.
func (s *Server) runArgs() []string {
	args := []string{
		"run", "--detach", "--name", s.Name, "--hostname", "server", "--label", ownerLabel + "=" + owner(),
		"--network", s.engine.network,
		"--cap-add", "SYS_ADMIN", "--cap-add", "NET_ADMIN", "--cap-add", "SYS_PTRACE", "--cap-add", "DAC_READ_SEARCH",
		"--security-opt", "seccomp=unconfined", "--security-opt", "apparmor=unconfined", "--stop-signal", "SIGRTMIN+3",
		"--cgroupns=host", "--volume", "/sys/fs/cgroup:/sys/fs/cgroup:rw", "--tmpfs", "/run", "--tmpfs", "/run/lock",
		"--env", "container=docker",
	}
	for _, name := range proxyVariables {
		if value, ok := os.LookupEnv(name); ok {
			args = append(args, "--env", name+"="+value)
		}
	}
	return args
}

// waitUntilBooted waits until systemd has done all it does at boot.
func (s *Server) waitUntilBooted() {
	s.t.Helper()
	var state string
	for deadline := time.Now().Add(bootTimeout); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		state = strings.TrimSpace(s.Exec("systemctl", "is-system-running", "--wait").Stdout)
		if state == "running" || state == "degraded" {
			return
		}
	}
	log, _ := s.engine.docker(context.Background(), "logs", "--tail", "50", s.Name)
	s.t.Fatalf("the server did not start: systemd is %q\n%s\n%s", state, s.Exec("systemctl", "list-jobs").Stdout, log)
}

func (s *Server) remove() {
	if s.t.Failed() && os.Getenv("INFRARUN_TEST_KEEP") != "" {
		s.t.Logf("kept: DOCKER_HOST=%s docker exec -it %s bash", s.engine.host, s.Name)
		return
	}
	if _, err := s.engine.docker(context.Background(), "rm", "--force", "--volumes", s.Name); err != nil {
		s.t.Errorf("remove the server: %v", err)
	}
}

// Exec runs a command as root.
func (s *Server) Exec(argv ...string) Result { return s.ExecInput("", argv...) }

// ExecInput runs a command as root, with something to read.
func (s *Server) ExecInput(stdin string, argv ...string) Result {
	s.t.Helper()
	args := append([]string{"exec", "--interactive", s.Name}, argv...)
	cmd := s.engine.command(context.Background(), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var failed *exec.ExitError
	if err != nil && !errors.As(err, &failed) {
		s.t.Fatalf("run %q on the server: %v", argv, err)
	}
	return Result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// Must runs a command as root, stops the test if it fails, and returns what it printed.
func (s *Server) Must(argv ...string) string {
	s.t.Helper()
	r := s.Exec(argv...)
	if r.Code != 0 {
		s.t.Fatalf("on the server %q ended with %d:\n%s%s", argv, r.Code, r.Stdout, r.Stderr)
	}
	return r.Stdout
}

// CopyIn copies a file of this machine to a path on the server, and what is missing above that. It belongs to root.
func (s *Server) CopyIn(file, to string, mode os.FileMode) {
	s.t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Write(to, string(content), mode)
}

// Write writes a file on the server, and what is missing above it. It belongs to root.
func (s *Server) Write(to, content string, mode os.FileMode) {
	s.t.Helper()
	// Not docker cp, which writes below a tmpfs such as /run instead of into it.
	const script = `mkdir -p "$(dirname "$1")" && cat >"$1" && chmod "$2" "$1"`
	r := s.ExecInput(content, "sh", "-c", script, "sh", path.Clean(to), fmt.Sprintf("%04o", mode.Perm()))
	if r.Code != 0 {
		s.t.Fatalf("write %s on the server: %s", to, r.Stderr)
	}
}

// Restart has the server shut down in good order and start again, as `systemctl reboot` does.
func (s *Server) Restart() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bootTimeout)
	defer cancel()
	s.Exec("systemctl", "reboot") // the connection may end before the command does
	if _, err := s.engine.docker(ctx, "wait", s.Name); err != nil {
		s.t.Fatalf("wait until the server has shut down: %v", err)
	}
	if _, err := s.engine.docker(ctx, "start", s.Name); err != nil {
		s.t.Fatalf("start the server again: %v", err)
	}
	s.waitUntilBooted()
}

// Address returns the server's address in its network, which this machine can reach.
func (s *Server) Address() string {
	s.t.Helper()
	const format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
	address, err := s.engine.docker(context.Background(), "inspect", "--format", format, s.Name)
	if err != nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(address)
}
