package systemd

import (
	"maps"
	"slices"
	"sync"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
)

// overlay is what a run knows of units beside what systemd does: in a preview what is predicted, in a run which change
// came first. It is safe for concurrent use.
type overlay struct {
	mu        sync.Mutex
	predicted map[string]prediction
	ports     map[string][]int // what a unit that this preview starts listens on
	first     map[string]bool
}

func overlayOf(w *runtime.World) *overlay {
	return runtime.Overlay(w, "systemd", func() *overlay {
		return &overlay{predicted: map[string]prediction{}, ports: map[string][]int{}, first: map[string]bool{}}
	})
}

// prediction is what is known of a unit in a preview; what is nil is as it is on the machine.
type prediction struct {
	installed *bool // it has a file
	running   *bool
	file      *string // how it is enabled
}

// of returns what is predicted of a unit.
func (o *overlay) of(unit string) prediction {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.predicted[unit]
}

// installed lists the units that get a file.
func (o *overlay) installed() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Sorted(maps.Keys(o.predicted)), func(unit string) bool {
		p := o.predicted[unit].installed
		return p == nil || !*p
	})
}

func (o *overlay) predict(unit string, change func(*prediction)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := o.predicted[unit]
	change(&p)
	o.predicted[unit] = p
}

// predictRunning enters that a unit runs, and listens on some ports, or that it does not.
func (o *overlay) predictRunning(w *runtime.World, unit string, running bool, listens []int) {
	o.predict(unit, func(p *prediction) { p.running = &running })
	o.mu.Lock()
	defer o.mu.Unlock()
	known := append(o.ports[unit], listens...)
	o.ports[unit] = known
	for _, port := range known {
		if running {
			ports.Of(w).Take(port, unit)
		} else {
			ports.Of(w).Free(port)
		}
	}
}

// comesFirst notes a change that knows whether a unit ran, and reports whether it is the first one of the run. Going back,
// the first one is the last to be undone: it alone makes the unit run again, since only then all that the run has
// changed is as it was.
func (o *overlay) comesFirst(unit string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	first := !o.first[unit]
	o.first[unit] = true
	return first
}
