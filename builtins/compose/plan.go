package compose

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

// act is what is to be done about a container.
type act string

const (
	create   act = "create"
	recreate act = "recreate"
	start    act = "start"
	remove   act = "remove"
)

// step is one container of a plan that changes.
type step struct {
	act     act
	service string
	name    string   // of the container; of one that is created, the service
	why     []string // never a value that may be secret
	id      string   // "" if there is none yet
}

func (s step) String() string {
	text := string(s.act) + " " + s.name
	if len(s.why) > 0 {
		text += " (" + strings.Join(s.why, "; ") + ")"
	}
	return text
}

// plan is how a project comes to be as it is wanted.
type plan struct {
	steps   []step
	same    int      // containers that are left alone
	guessed []string // what a preview takes for granted
}

// services are those that Compose has to bring up, in two rounds: force are those whose containers are made anew although
// nothing about them differs.
func (p *plan) services() (plain, force []string) {
	for _, s := range p.steps {
		switch {
		case s.act == remove && s.why[0] != lessWanted:
		case s.act == recreate && len(s.why) == 1 && strings.HasPrefix(s.why[0], sharesWith):
			force = append(force, s.service)
		default:
			plain = append(plain, s.service)
		}
	}
	slices.Sort(plain)
	slices.Sort(force)
	plain, force = slices.Compact(plain), slices.Compact(force)
	return plain, slices.DeleteFunc(force, func(s string) bool { return slices.Contains(plain, s) })
}

// remakes reports whether a container is made anew.
func (p *plan) remakes() bool {
	return slices.ContainsFunc(p.steps, func(s step) bool { return s.act == recreate })
}

// orphans are the containers whose services are not in the project any more.
func (p *plan) orphans() []step {
	var all []step
	for _, s := range p.steps {
		if s.act == remove && s.why[0] == orphaned {
			all = append(all, s)
		}
	}
	return all
}

// touched are the containers that will be stopped.
func (p *plan) touched() []string {
	var ids []string
	for _, s := range p.steps {
		if s.act == recreate || s.act == remove {
			ids = append(ids, s.id)
		}
	}
	return ids
}

const (
	orphaned   = "its service is not in the project"
	lessWanted = "more than are wanted"
	sharesWith = "belongs to "
)

// planner compares what is wanted with what there is.
type planner struct {
	project  *project
	hashes   map[string]string
	running  []replica
	selected []string // services; empty: all
	orphans  bool     // are to be removed
	image    func(ref string) (engine.SeenImage, error)

	predicted map[string]string // hashes of services that a preview has brought up already
}

// plan makes the plan.
func (pl *planner) plan() (*plan, error) {
	p := &plan{}
	for _, name := range pl.services() {
		if err := pl.service(p, pl.project.Services[name]); err != nil {
			return nil, err
		}
	}
	pl.dependents(p)
	if pl.orphans {
		for _, r := range pl.running {
			_, known := pl.project.Services[r.service]
			_, disabled := pl.project.DisabledServices[r.service]
			if !known && !disabled {
				p.steps = append(p.steps, step{remove, r.service, r.name(), []string{orphaned}, r.ID})
			}
		}
	}
	return p, nil
}

// services are those that are to be brought up.
func (pl *planner) services() []string {
	all := slices.Sorted(maps.Keys(pl.project.Services))
	return slices.DeleteFunc(all, func(name string) bool { return len(pl.selected) > 0 && !slices.Contains(pl.selected, name) })
}

// errNoImage is an image that is not here.
var errNoImage = errors.New("it is not on this machine; compose.pull or compose.build brings it")

// service plans the containers of one service.
func (pl *planner) service(p *plan, s types.ServiceConfig) error {
	if hash := pl.predicted[s.Name]; hash != "" && hash == pl.hashes[s.Name] {
		p.same += s.GetScale()
		return nil
	}
	img, err := pl.image(imageref.Shown(s.Image))
	switch {
	case err != nil:
		return err
	case !img.There():
		return fmt.Errorf("%s: service %s: image %s: %w", pl.project.At("services", s.Name, "image"), s.Name, s.Image, errNoImage)
	}
	there := ofService(pl.running, s.Name)
	for i, r := range there {
		if i >= s.GetScale() {
			p.steps = append(p.steps, step{remove, s.Name, r.name(), []string{lessWanted}, r.ID})
			continue
		}
		why := differences(pl.project, s, r, pl.hashes[s.Name])
		switch {
		case img.Predicted:
			p.guessed = append(p.guessed, fmt.Sprintf("that %s brings another image %s, so that %s is made anew", img.By, s.Image, r.name()))
			why = append(why, "image "+s.Image+" comes by "+img.By)
		case r.Image != img.ID:
			why = append(why, fmt.Sprintf("image %s is %s, was %s", s.Image, imageref.Short(img.ID), imageref.Short(r.Image)))
		}
		switch {
		case len(why) > 0:
			p.steps = append(p.steps, step{recreate, s.Name, r.name(), why, r.ID})
		case r.State.Running && !r.State.Paused || pl.done(s, r):
			p.same++
		default:
			p.steps = append(p.steps, step{start, s.Name, r.name(), []string{"it is " + string(r.State.Status)}, r.ID})
		}
	}
	for n := len(there); n < s.GetScale(); n++ {
		name := s.Name
		if s.GetScale() > 1 {
			name = fmt.Sprintf("%s %d", s.Name, n+1)
		}
		p.steps = append(p.steps, step{act: create, service: s.Name, name: name})
	}
	return nil
}

// done reports whether a container has ended well and is not to run on.
func (pl *planner) done(s types.ServiceConfig, r replica) bool {
	if !oneShot(pl.project, s) {
		return false
	}
	// One that an undo has made in the place of a lost one has not been started again.
	return r.State.Status == container.StateExited && r.State.ExitCode == 0 ||
		r.State.Status == container.StateCreated && r.Config.Labels[engine.AgainLabel] != ""
}

// makePlan looks at the engine and makes the plan.
func makePlan(ctx context.Context, r *runtime.Reader, e *engine.Client, pl planner) (*plan, []replica, error) {
	var err error
	if pl.running, err = inspect(ctx, e, pl.project.Name); err != nil {
		return nil, nil, err
	}
	see(r, pl.running)
	if before, ok := predictions(r.World()).of(pl.project.Name); ok {
		pl.predicted = before.hashes
		if before.down {
			pl.running = nil
		}
	}
	pl.image = func(ref string) (engine.SeenImage, error) { return e.SeeImage(ctx, r, ref) }
	p, err := pl.plan()
	if err != nil {
		return nil, nil, err
	}
	return p, pl.running, pl.checkVolumes(ctx, e)
}
