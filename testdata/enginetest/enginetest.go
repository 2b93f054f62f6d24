// Package enginetest gives the tests of a package a real Docker engine of their own.
//
//	func TestMain(m *testing.M) { enginetest.Main(m) }
//
//	e := enginetest.Start(t)             // DOCKER_HOST leads to it; it has nothing in it
//	e.Image("app:1", "ENV VERSION=1")    // an image with a small program: see testdata/app
//	r := e.Registry()                    // a registry that asks for a password
//
// The engine starts in about two seconds, when the first test asks for it, and serves all tests of the process, one after
// the other: at the end of each all that is in it is removed. It ends with the process, also if that is killed. Nothing is
// pulled from anywhere: images are made on the spot.
//
// A machine needs root, and Debian's packages docker.io, docker-registry and iproute2, which are installed if they are
// missing. A machine that cannot do this skips the test, or fails it where CI is "true".
//
//	enginetest.go engine.sh   the engine
//	swarm.go swarm.sh         two engines that are a swarm
//	image.go testdata/app     images
//	registry.go               the registry
//	look.go                   what the engine has; having a stranger clean up
//	port.go                   ports for what tests start
package enginetest

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/testdata/server"
)

// Engine is the engine of this test process.
type Engine struct {
	Host string         // as DOCKER_HOST
	API  *client.Client // all of it

	t testing.TB
	*process
}

// process is what tests have in common.
type process struct {
	dir      string
	host     string
	api      *client.Client
	alive    io.WriteCloser // the engine ends when this is closed
	ended    chan error
	registry *Registry
	program  func() (string, error)
}

var theProcess struct {
	once sync.Once
	p    *process
	err  error
}

// Start returns the engine, and lets DOCKER_HOST lead to it until the test ends.
func Start(t testing.TB) *Engine {
	t.Helper()
	theProcess.once.Do(func() { theProcess.p, theProcess.err = start() })
	var missing server.Unavailable
	if err := theProcess.err; errors.As(err, &missing) {
		server.Skip(t, missing)
	} else if err != nil {
		t.Fatalf("a Docker engine for the test: %v", err)
	}
	p := theProcess.p
	t.Setenv("DOCKER_HOST", p.host)
	e := &Engine{Host: p.host, API: p.api, t: t, process: p}
	t.Cleanup(e.Clean)
	return e
}

// Main runs the tests of a package, and stops the engine after them.
func Main(m *testing.M) {
	code := m.Run()
	Stop()
	os.Exit(code)
}

// Stop stops the engines that tests have asked for: for packages whose TestMain has more to do than [Main].
func Stop() {
	if p := theProcess.p; p != nil {
		p.stop()
	}
	if s := theSwarm.s; s != nil {
		s.stop()
	}
}

//go:embed engine.sh
var engineScript string

// startTimeout is how long the engine has until it answers.
const startTimeout = time.Minute

func start() (*process, error) {
	if os.Geteuid() != 0 {
		return nil, server.Unavailable("an engine of the tests' own needs root")
	}
	if err := server.Install("docker.io docker-registry iproute2", "dockerd", "docker-proxy", "docker-registry", "ip"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "engine") // short, for the sake of its socket
	if err != nil {
		return nil, err
	}
	p := &process{dir: dir, host: "unix://" + filepath.Join(dir, "docker.sock"), ended: make(chan error, 1)}
	p.program = sync.OnceValues(p.compile)
	cmd := exec.Command("sh", "-c", engineScript, "engine.sh", dir, strconv.Itoa(os.Getpid()%100))
	if p.alive, err = keepAlive(cmd, p.ended); err != nil {
		return nil, fmt.Errorf("start the Docker engine: %w", err)
	}
	if p.api, err = client.NewClientWithOpts(client.WithHost(p.host), client.WithAPIVersionNegotiation()); err != nil {
		return nil, err
	}
	return p, p.wait()
}

// keepAlive starts a script that ends its work when its standard input ends.
func keepAlive(cmd *exec.Cmd, ended chan<- error) (io.WriteCloser, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // an interrupt from the terminal is for the tests
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { ended <- cmd.Wait() }()
	return in, nil
}

// wait waits until the engine answers.
func (p *process) wait() error {
	log := filepath.Join(p.dir, "log")
	deadline := time.After(startTimeout)
	for {
		if _, err := p.api.Ping(context.Background()); err == nil {
			return nil
		}
		select {
		case err := <-p.ended:
			text, _ := os.ReadFile(log)
			return fmt.Errorf("the Docker engine ended at once (%w)\n%s", err, text)
		case <-deadline:
			p.alive.Close()
			text, _ := os.ReadFile(log)
			return fmt.Errorf("the Docker engine does not answer after %v\n%s", startTimeout, text)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) stop() {
	if p.registry != nil {
		p.registry.stop()
	}
	p.alive.Close()
	<-p.ended
}

// Restart has the engine end, which ends its containers, and start anew. It returns when it has ended.
func (e *Engine) Restart() {
	e.t.Helper()
	text, err := os.ReadFile(filepath.Join(e.dir, "docker.pid"))
	e.must(err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	e.must(err)
	dockerd := server.Identify(pid)
	e.must(os.WriteFile(filepath.Join(e.dir, "again"), nil, 0o600))
	e.must(syscall.Kill(pid, syscall.SIGTERM))
	for deadline := time.Now().Add(startTimeout); server.Identify(pid) == dockerd; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatal("the engine of the test does not end")
		}
	}
}

// Down has the engine end, which ends its containers. It stays away until up is called, which returns when it answers
// again; the end of the test does that, too.
func (e *Engine) Down() (up func()) {
	e.t.Helper()
	file := filepath.Join(e.dir, "down")
	e.must(os.WriteFile(file, nil, 0o600))
	up = sync.OnceFunc(func() {
		e.must(os.Remove(file))
		e.must(e.wait())
	})
	e.t.Cleanup(up)
	e.Restart()
	return up
}
