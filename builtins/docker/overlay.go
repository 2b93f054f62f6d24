package docker

import (
	"sync"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
)

// overlay is what a preview predicts of containers, networks and volumes; images are predicted in [engine.Images]. It is safe for concurrent use.
type overlay struct {
	mu         sync.Mutex
	containers map[string]predictedContainer
	networks   map[string]bool // whether it is there
	volumes    map[string]bool
}

// predictedContainer is a container as it will be.
type predictedContainer struct {
	there, running bool
	made           bool    // by docker.run in this preview: there is nothing to look into yet
	aspects        aspects // what docker.run gave, or gives, it; nil if it is of somebody else
	gone           bool    // removed for good, not set aside
	image          string
	volumes        []string // of one that is made
	network        string   // of one that is made
	labels         map[string]string
	ports          []int // TCP ports of this machine that it takes while it runs
}

func overlayOf(w *runtime.World) *overlay {
	return runtime.Overlay(w, "docker", func() *overlay {
		return &overlay{
			containers: map[string]predictedContainer{},
			networks:   map[string]bool{}, volumes: map[string]bool{},
		}
	})
}

func lookup[V any](o *overlay, in map[string]V, name string) (V, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	v, ok := in[name]
	return v, ok
}

func predict[V any](o *overlay, in map[string]V, name string, v V) {
	o.mu.Lock()
	defer o.mu.Unlock()
	in[name] = v
}

// predictContainer enters how a container will be, and what becomes of ports. Before are those that the one of that name
// takes now.
func predictContainer(w *runtime.World, name string, p predictedContainer, before []int) {
	o := overlayOf(w)
	if old, ok := lookup(o, o.containers, name); ok {
		before = old.ports
	}
	for _, port := range before {
		ports.Of(w).Free(port)
	}
	if p.running {
		for _, port := range p.ports {
			ports.Of(w).Take(port, name)
		}
	}
	predict(o, o.containers, name, p)
}
