package compose

import (
	"maps"
	"strconv"
	"sync"

	"github.com/infrarun/infrarun/runtime"
)

// overlay is what a preview predicts of projects. It is safe for concurrent use.
type overlay struct {
	mu       sync.Mutex
	projects map[string]predicted
}

// predicted is a project as it will be.
type predicted struct {
	down   bool              // nothing of what there is now
	hashes map[string]string // of the services that will be up, beside what there is
}

func predictions(w *runtime.World) *overlay {
	return runtime.Overlay(w, "compose", func() *overlay { return &overlay{projects: map[string]predicted{}} })
}

// of returns what is predicted of a project.
func (o *overlay) of(project string) (predicted, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p, ok := o.projects[project]
	return predicted{p.down, maps.Clone(p.hashes)}, ok
}

// up predicts that services are up.
func (o *overlay) up(project string, hashes map[string]string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.projects[project]
	if p.hashes == nil {
		p.hashes = map[string]string{}
	}
	maps.Copy(p.hashes, hashes)
	o.projects[project] = p
}

// down predicts that nothing of a project is there.
func (o *overlay) down(project string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.projects[project] = predicted{down: true}
}

// unknownContainers is what a preview says of the containers of a project that it has changed.
func unknownContainers(project string) *runtime.Unknown {
	return runtime.NewUnknown("the containers of the project "+project+" after this change",
		"look at them in a function that only a run needs, or check the services with http_check or net.wait_port")
}

// boundPorts are the TCP ports of this machine that a container takes.
func boundPorts(r replica) []int {
	var list []int
	if r.HostConfig == nil {
		return nil
	}
	for port, bindings := range r.HostConfig.PortBindings {
		for _, b := range bindings {
			if n, err := strconv.Atoi(b.HostPort); err == nil && n > 0 && port.Proto() == "tcp" {
				list = append(list, n)
			}
		}
	}
	return list
}
