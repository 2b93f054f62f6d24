package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"

	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// patience says when a container counts as ready.
type patience struct {
	steady   time.Duration // how long one without a health check has to run
	streak   int           // how many health checks in a row have to succeed
	restarts int           // how many restarts are tolerated
}

// monitor watches the containers of a project come up.
type monitor struct {
	patience
	project *project
	before  map[string]container.InspectResponse // by id, as they were
	ignore  []string                             // ids of those that are about to go
	known   map[string]*seen
	ended   map[string]bool // services of which a container ended well: such a one may be removed by whoever cleans up
}

func newMonitor(p *project, how patience) *monitor {
	return &monitor{
		patience: how, project: p, before: map[string]container.InspectResponse{}, known: map[string]*seen{}, ended: map[string]bool{},
	}
}

// seen is what a monitor remembers of a container.
type seen struct {
	started string // as the engine says
	since   time.Time
}

// failure is a container that did not come up.
type failure struct {
	replica
	what string
}

func (f failure) String() string {
	if f.ContainerJSONBase == nil {
		return fmt.Sprintf("service %s: %s", f.service, f.what)
	}
	return fmt.Sprintf("service %s: container %s %s", f.service, f.name(), f.what)
}

// pollInterval is how often the engine is asked at least: events tell of a crash at once, but not of a check's streak.
const pollInterval = 500 * time.Millisecond

// errLate is that not all is ready when watching is to end.
var errLate = errors.New("not all containers are ready")

// watch returns when all services are ready, or one of them has failed. Done is closed when Compose has done its part:
// before, nothing is expected of containers that are not there yet.
func (m *monitor) watch(ctx context.Context, e *engine.Client, services []string, done <-chan struct{}) ([]failure, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	filter := ofProject(m.project.Name)
	filter.Add("type", string(events.ContainerEventType))
	messages, broken := e.Events(ctx, events.ListOptions{Filters: filter})
	tick := time.NewTicker(pollInterval)
	defer tick.Stop()
	var running []replica
	var waiting map[string]string
	for {
		now, err := inspect(ctx, e, m.project.Name)
		switch {
		case ctx.Err() != nil:
			return m.late(running, waiting), errLate
		case err != nil:
			return nil, err
		}
		running = now
		complete := isClosed(done)
		var failed []failure
		failed, waiting = m.look(running, services, complete, time.Now())
		if len(failed) > 0 || complete && len(waiting) == 0 {
			return failed, nil
		}
		select {
		case <-ctx.Done():
		case <-messages:
		case <-broken:
			broken, messages = nil, nil // asking tells what is wrong, or that all is well
		case <-tick.C:
		case <-whenOpen(done, complete):
		}
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// whenOpen is done as long as it is not closed: a closed channel would be ready over and over.
func whenOpen(done <-chan struct{}, closed bool) <-chan struct{} {
	if closed {
		return nil
	}
	return done
}

// look says which containers have failed, and what is waited for, by container or service.
func (m *monitor) look(running []replica, services []string, complete bool, now time.Time) (failed []failure, waiting map[string]string) {
	waiting = map[string]string{}
	count := map[string]int{}
	for _, r := range running {
		s, ok := m.project.Services[r.service]
		if !ok || !slices.Contains(services, r.service) || slices.Contains(m.ignore, r.ID) {
			continue
		}
		count[r.service]++
		bad, wait := m.judge(r, s, complete, now)
		switch {
		case bad != "":
			failed = append(failed, failure{r, bad})
		case wait != "":
			waiting[r.ID] = wait
		}
	}
	for _, name := range services {
		if s, ok := m.project.Services[name]; ok && count[name] < s.GetScale() && !m.ended[name] {
			waiting[name] = "is not there yet"
		}
	}
	return failed, waiting
}

// failedNow looks once more which containers have failed. That it cannot be seen is no further failure.
func (m *monitor) failedNow(ctx context.Context, e *engine.Client, services []string) []failure {
	running, err := inspect(ctx, e, m.project.Name)
	if err != nil {
		return nil
	}
	failed, _ := m.look(running, services, true, time.Now())
	return failed
}

// late are the failures of what is not ready when the time is over.
func (m *monitor) late(running []replica, waiting map[string]string) []failure {
	var list []failure
	for _, r := range running {
		if why, ok := waiting[r.ID]; ok {
			list = append(list, failure{r, why})
			delete(waiting, r.ID)
		}
	}
	for _, service := range slices.Sorted(maps.Keys(waiting)) {
		list = append(list, failure{replica{service: service}, "a container " + waiting[service]})
	}
	return list
}
