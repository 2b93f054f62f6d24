package stack

import (
	"maps"
	"sync"

	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/runtime"
)

// overlay is what a preview predicts of stacks. It is safe for concurrent use.
type overlay struct {
	mu     sync.Mutex
	stacks map[string]*predicted
}

// predicted is a stack as it will be.
type predicted struct {
	services map[string]swarm.ServiceSpec
	networks map[string]network.Inspect   // by name
	files    map[string]map[string]string // labels, by kind and name
}

func nothingPredicted() *predicted {
	return &predicted{map[string]swarm.ServiceSpec{}, map[string]network.Inspect{}, map[string]map[string]string{}}
}

// predict begins with what there is.
func predict(s *state) *predicted {
	p := nothingPredicted()
	for _, one := range s.services {
		p.services[one.Spec.Name] = one.Spec
	}
	for _, n := range s.networks {
		p.networks[n.Name] = n
	}
	for _, f := range s.files() {
		p.files[f.id()] = f.labels
	}
	return p
}

func predictions(w *runtime.World) *overlay {
	return runtime.Overlay(w, "stack", func() *overlay { return &overlay{stacks: map[string]*predicted{}} })
}

// of returns what is predicted of a stack, nil if it is as the swarm says.
func (o *overlay) of(stack string) *predicted {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.stacks[stack]
	if p == nil {
		return nil
	}
	return &predicted{maps.Clone(p.services), maps.Clone(p.networks), maps.Clone(p.files)}
}

func (o *overlay) set(stack string, p *predicted) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.stacks[stack] = p
}

// unknownTasks is what a preview says of the tasks of a stack that it has changed.
func unknownTasks(stack string) *runtime.Unknown {
	return runtime.NewUnknown("the tasks of the stack "+stack+" after this change",
		"look at them in a function that only a run needs, or check the services with http_check or net.wait_port")
}
