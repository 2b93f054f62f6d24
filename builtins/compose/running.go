package compose

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// The labels by which every version of Compose knows its containers, networks and volumes.
const (
	projectLabel = "com.docker.compose.project"
	serviceLabel = "com.docker.compose.service"
	numberLabel  = "com.docker.compose.container-number"
	oneOffLabel  = "com.docker.compose.oneoff" // of `docker compose run`: nobody's service
)

// replica is a container of a service.
type replica struct {
	container.InspectResponse
	service string
	number  int
}

func (r replica) name() string { return strings.TrimPrefix(r.Name, "/") }

// inspect returns the containers of a project, by service and number. Those of `docker compose run` are not among them.
func inspect(ctx context.Context, e *engine.Client, project string) ([]replica, error) {
	list, err := e.Containers(ctx, engine.Labels{projectLabel: project})
	if err != nil {
		return nil, err
	}
	var found []replica
	for _, c := range list {
		if strings.EqualFold(c.Labels[oneOffLabel], "true") {
			continue
		}
		full, err := e.Container(ctx, c.ID)
		if err != nil {
			return nil, err
		}
		if full == nil || full.Config == nil || full.State == nil {
			continue // gone meanwhile
		}
		number, _ := strconv.Atoi(c.Labels[numberLabel])
		found = append(found, replica{*full, c.Labels[serviceLabel], number})
	}
	slices.SortFunc(found, func(a, b replica) int {
		if c := strings.Compare(a.service, b.service); c != 0 {
			return c
		}
		return a.number - b.number
	})
	return found, nil
}

// see has containers be in the state that a preview predicts of them.
func see(r *runtime.Reader, all []replica) {
	for i := range all {
		engine.PredictedStates(r.World()).See(&all[i].InspectResponse)
	}
}

// names are what containers are called: other changes of a run may be about one of them.
func names(all []replica) []string {
	list := make([]string, len(all))
	for i, r := range all {
		list[i] = r.name()
	}
	return list
}

// ofService are the containers of one service.
func ofService(all []replica, service string) []replica {
	var own []replica
	for _, r := range all {
		if r.service == service {
			own = append(own, r)
		}
	}
	return own
}

// absent reports whether an error says that there is no such thing any more.
func absent(err error) bool { return errdefs.IsNotFound(err) }
