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
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/testdata/server"
)

// Swarm is a swarm of two engines, each with an address of its own that this machine reaches. The first is the manager.
//
// A kernel without IPVS has no routing mesh and no virtual addresses: services of tests have endpoint_mode dnsrr, and publish
// ports with mode host.
type Swarm struct {
	Engines   [2]*Engine
	Addresses [2]string
	// Here is the address of this machine in the network of the engines.
	Here string
	// Namespaces are the files of the engines' network namespaces, for nsenter: the loopback of a machine is in its own.
	Namespaces [2]string
}

// swarmProcess is what tests have in common.
type swarmProcess struct {
	engines    [2]*process
	addresses  [2]string
	here       string
	namespaces [2]string
	alive      io.WriteCloser // the engines end when this is closed
	ended      chan error
}

var theSwarm struct {
	once sync.Once
	s    *swarmProcess
	err  error
}

// StartSwarm returns the swarm, and lets DOCKER_HOST lead to its manager until the test ends. It is started when the first
// test asks for it, and serves all tests of the process; at the end of each all that is in it is removed.
func StartSwarm(t testing.TB) *Swarm {
	t.Helper()
	theSwarm.once.Do(func() { theSwarm.s, theSwarm.err = startSwarm() })
	var missing server.Unavailable
	if err := theSwarm.err; errors.As(err, &missing) {
		server.Skip(t, missing)
	} else if err != nil {
		t.Fatalf("a swarm for the test: %v", err)
	}
	s := &Swarm{Addresses: theSwarm.s.addresses, Here: theSwarm.s.here, Namespaces: theSwarm.s.namespaces}
	for i, p := range theSwarm.s.engines {
		s.Engines[i] = &Engine{Host: p.host, API: p.api, t: t, process: p}
	}
	t.Setenv("DOCKER_HOST", s.Engines[0].Host)
	t.Cleanup(s.Clean)
	return s
}

//go:embed swarm.sh
var swarmScript string

func startSwarm() (*swarmProcess, error) {
	if os.Geteuid() != 0 {
		return nil, server.Unavailable("engines of the tests' own need root")
	}
	if err := server.Install("docker.io docker-registry iproute2", "dockerd", "docker-registry", "ip", "nsenter", "unshare"); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "swarm") // short, for the sake of the sockets
	if err != nil {
		return nil, err
	}
	number := os.Getpid() // swarms of other test processes run at the same time
	network := fmt.Sprintf("10.%d.%d", 200+number%50, number/50%250)
	s := &swarmProcess{ended: make(chan error, 1), addresses: [2]string{network + ".11", network + ".12"}, here: network + ".1"}
	name := fmt.Sprintf("irs%d", number)
	s.namespaces = [2]string{"/run/netns/" + name + "1", "/run/netns/" + name + "2"}
	cmd := exec.Command("sh", "-c", swarmScript, "swarm.sh", dir, name, network)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	if s.alive, err = keepAlive(cmd, s.ended); err != nil {
		return nil, fmt.Errorf("start the swarm: %w", err)
	}
	for i := range s.engines {
		home := filepath.Join(dir, fmt.Sprint(i+1))
		p := &process{dir: home, host: "unix://" + filepath.Join(home, "docker.sock"), ended: s.ended, alive: s.alive}
		p.program = sync.OnceValues(p.compile)
		if i > 0 {
			p.program = s.engines[0].program
		}
		if p.api, err = client.NewClientWithOpts(client.WithHost(p.host), client.WithAPIVersionNegotiation()); err != nil {
			return nil, err
		}
		s.engines[i] = p
	}
	for _, p := range s.engines {
		if err := p.wait(); err != nil {
			return nil, err
		}
	}
	return s, s.join()
}

// join makes the engines a swarm.
func (s *swarmProcess) join() error {
	ctx := context.Background()
	manager := s.engines[0].api
	listen := func(i int) string { return s.addresses[i] + ":2377" }
	if _, err := manager.SwarmInit(ctx, swarm.InitRequest{ListenAddr: listen(0), AdvertiseAddr: s.addresses[0]}); err != nil {
		return fmt.Errorf("make a swarm: %w", err)
	}
	about, err := manager.SwarmInspect(ctx)
	if err != nil {
		return fmt.Errorf("make a swarm: %w", err)
	}
	err = s.engines[1].api.SwarmJoin(ctx, swarm.JoinRequest{
		ListenAddr: listen(1), AdvertiseAddr: s.addresses[1], RemoteAddrs: []string{listen(0)}, JoinToken: about.JoinTokens.Worker,
	})
	if err != nil {
		return fmt.Errorf("join the swarm: %w", err)
	}
	return nil
}

func (s *swarmProcess) stop() {
	if r := s.engines[0].registry; r != nil {
		r.stop()
	}
	s.alive.Close()
	<-s.ended
}

// Registry returns a registry that both engines reach; see [Engine.Registry].
func (s *Swarm) Registry() *Registry {
	e := s.Engines[0]
	e.t.Helper()
	if e.process.registry == nil {
		r, err := startRegistry(filepath.Join(filepath.Dir(e.dir), "registry"), s.Here)
		e.must(err)
		e.process.registry = r
	}
	return e.process.registry
}

// Alone has the second engine leave the swarm, for the rest of the process.
func (s *Swarm) Alone() {
	manager := s.Engines[0]
	manager.t.Helper()
	ctx := context.Background()
	manager.must(s.Engines[1].API.SwarmLeave(ctx, true))
	list, err := manager.API.NodeList(ctx, swarm.NodeListOptions{})
	manager.must(err)
	for _, n := range list {
		if n.Spec.Role == swarm.NodeRoleWorker {
			manager.must(manager.API.NodeRemove(ctx, n.ID, swarm.NodeRemoveOptions{Force: true}))
		}
	}
}

// Image makes the same image on both engines; see [Engine.Image].
func (s *Swarm) Image(ref string, changes ...string) {
	for _, e := range s.Engines {
		e.Image(ref, changes...)
	}
}

// Clean removes all that is in the swarm.
func (s *Swarm) Clean() {
	e := s.Engines[0]
	e.t.Helper()
	ctx := context.Background()
	services, err := e.API.ServiceList(ctx, swarm.ServiceListOptions{})
	e.must(err)
	for _, one := range services {
		e.must(e.API.ServiceRemove(ctx, one.ID))
	}
	for _, one := range s.Engines {
		one.waitEmpty()
	}
	configs, err := e.API.ConfigList(ctx, swarm.ConfigListOptions{})
	e.must(err)
	for _, c := range configs {
		e.must(e.API.ConfigRemove(ctx, c.ID))
	}
	secrets, err := e.API.SecretList(ctx, swarm.SecretListOptions{})
	e.must(err)
	for _, c := range secrets {
		e.must(e.API.SecretRemove(ctx, c.ID))
	}
	for _, one := range s.Engines {
		one.Clean()
	}
}

// waitEmpty waits until no task of a service runs.
func (e *Engine) waitEmpty() {
	e.t.Helper()
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(50 * time.Millisecond) {
		list, err := e.API.ContainerList(context.Background(), container.ListOptions{})
		e.must(err)
		if len(list) == 0 {
			return
		}
		if time.Now().After(deadline) {
			e.t.Fatalf("containers of removed services still run: %v", list[0].Names)
		}
	}
}

// Services describes the services, networks, configs and secrets of the swarm, a line each, with the version of each service.
func (s *Swarm) Services() string {
	e := s.Engines[0]
	e.t.Helper()
	list, err := e.API.ServiceList(context.Background(), swarm.ServiceListOptions{})
	e.must(err)
	var lines []string
	for _, one := range list {
		lines = append(lines, fmt.Sprintf("service %s %s version %d", one.Spec.Name, one.ID, one.Version.Index))
	}
	for line := range strings.Lines(e.State()) {
		if strings.HasPrefix(line, "network ") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}
