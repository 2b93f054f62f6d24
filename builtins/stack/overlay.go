package stack

import (
	"maps"
	"sync"

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
	networks map[string]bool // by name
	files    map[string]bool // by kind and name
}

// predict begins with what there is.
func predict(s *state) *predicted {
	p := &predicted{map[string]swarm.ServiceSpec{}, map[string]bool{}, map[string]bool{}}
	for _, one := range s.services {
		p.services[one.Spec.Name] = one.Spec
	}
	for _, n := range s.networks {
		p.networks[n.Name] = true
	}
	for _, f := range s.files() {
		p.files[f.id()] = true
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
