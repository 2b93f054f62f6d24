package engine

import (
	"sync"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime"
)

// States is what a preview predicts of containers that are there: whether they run. One family of builtins stops a
// container that another one would then start. It is safe for concurrent use.
type States struct {
	mu   sync.Mutex
	runs map[string]bool // by id
}

// PredictedStates returns the predictions of a preview; in a run there are none.
func PredictedStates(w *runtime.World) *States {
	return runtime.Overlay(w, "docker.states", func() *States { return &States{runs: map[string]bool{}} })
}

// Set predicts that a container runs, or does not.
func (s *States) Set(id string, runs bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runs[id] = runs
}

// See has a container be in the state that is predicted of it.
func (s *States) See(c *container.InspectResponse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	runs, ok := s.runs[c.ID]
	if !ok || c.State == nil || c.State.Running == runs {
		return
	}
	c.State.Running, c.State.Paused, c.State.Restarting, c.State.Status = runs, false, false, container.StateExited
	if runs {
		c.State.Status = container.StateRunning
	}
}
