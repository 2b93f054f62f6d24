package runtime

import (
	"sync"

	"github.com/infrarun/infrarun/runtime/events"
)

// gate lets parallel branches report in the order in which the recipe lists the branches, whichever
// ends first: a preview and a run then list the same changes in the same order. What is only shown
// while it happens passes at once.
type gate struct {
	outer *gate // of the branch in which parallel was called; nil: none
	mu    sync.Mutex
	open  bool
	held  []events.Event
}

func (g *gate) emit(r *Run, e events.Event) {
	switch e.Kind {
	case events.ChangeStarted, events.Output, events.Progress:
		r.bus.Emit(e)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.open {
		g.held = append(g.held, e)
		return
	}
	g.pass(r, e)
}

func (g *gate) pass(r *Run, e events.Event) {
	if g.outer != nil {
		g.outer.emit(r, e)
		return
	}
	r.bus.Emit(e)
}

// release lets through what is held, and from then on everything.
func (g *gate) release(r *Run) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, e := range g.held {
		g.pass(r, e)
	}
	g.held, g.open = nil, true
}

// openGates notes that a branch has ended, and opens the gate of every branch that has none before it
// that goes on.
func openGates(all []branch, ended *branch) {
	close(ended.done)
	for i := range all {
		all[i].task.gate.release(all[i].task.run)
		select {
		case <-all[i].done:
		default:
			return
		}
	}
}
