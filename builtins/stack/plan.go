package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"
)

// act is what is to be done about a service.
type act string

const (
	create act = "create"
	update act = "update"
	remove act = "remove"
)

// step is one service of a plan that changes.
type step struct {
	act  act
	name string            // within the stack
	why  []string          // never a value that may be secret
	spec swarm.ServiceSpec // as it is to be
	old  *swarm.Service    // nil for one that is made
}

func (s step) String() string {
	text := string(s.act) + " service " + s.name
	if len(s.why) > 0 {
		text += " (" + strings.Join(s.why, "; ") + ")"
	}
	return text
}

// plan is how a stack comes to be as it is wanted.
type plan struct {
	steps    []step
	networks []wantedNetwork // to be made
	files    []wantedFile    // to be made
	unknown  []string        // secrets of which nobody can tell whether those that are there have the same content
	same     []string        // services that are left alone
	guessed  []string        // what a preview takes for granted
	local    []string        // images that every machine has to have already
}

// empty reports whether nothing is to be done.
func (p *plan) empty() bool { return len(p.steps)+len(p.networks)+len(p.files) == 0 }

const orphaned = "it is not in the compose file"

// planner compares what is wanted with what there is.
type planner struct {
	def     *definition
	state   *state
	only    []string // services that are meant, as the compose file calls them; none are all
	orphans bool     // are to be removed
	resolve func(context.Context, wantedService) (resolved, error)
}

func (pl *planner) plan(ctx context.Context) (*plan, error) {
	p := &plan{}
	for _, n := range pl.def.networks {
		if there := pl.state.network(n.name); there == nil {
			p.networks = append(p.networks, n)
		} else if err := n.check(there); err != nil {
			return nil, err
		}
	}
	for _, f := range pl.def.files {
		if pl.state.fileID(f.kind, f.name) == "" {
			p.files = append(p.files, f)
			if pl.state.strangers(f) {
				p.unknown = append(p.unknown, f.shown())
			}
		}
	}
	if err := pl.known(); err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, w := range pl.def.services {
		wanted[w.spec.Name] = true
		if len(pl.only) > 0 && !slices.Contains(pl.only, w.key) {
			p.same = append(p.same, w.key)
			continue
		}
		if err := pl.service(ctx, p, w); err != nil {
			return nil, err
		}
	}
	for i := range pl.state.services {
		s := &pl.state.services[i]
		switch {
		case wanted[s.Spec.Name]:
		case pl.orphans:
			p.steps = append(p.steps, step{act: remove, name: short(pl.def.name, s.Spec.Name), why: []string{orphaned}, old: s})
		default:
			p.same = append(p.same, short(pl.def.name, s.Spec.Name))
		}
	}
	return p, nil
}

// known fails unless all services that are meant are in the compose file.
func (pl *planner) known() error {
	var all []string
	for _, w := range pl.def.services {
		all = append(all, w.key)
	}
	for _, name := range pl.only {
		if !slices.Contains(all, name) {
			return fmt.Errorf("the compose file has no service %s; it has %s", name, strings.Join(all, ", "))
		}
	}
	return nil
}

// service plans one service.
func (pl *planner) service(ctx context.Context, p *plan, w wantedService) error {
	image, err := pl.resolve(ctx, w)
	if err != nil {
		return err
	}
	c := *w.spec.TaskTemplate.ContainerSpec
	c.Image = image.ref
	if image.local != "" {
		c.Labels = maps.Clone(c.Labels)
		c.Labels[localLabel] = image.local
		if !slices.Contains(p.local, w.image) {
			p.local = append(p.local, w.image)
		}
	}
	w.spec.TaskTemplate.ContainerSpec = &c
	s := step{act: create, name: w.key, spec: w.spec, old: pl.state.service(w.spec.Name)}
	if s.old != nil {
		s.act = update
		s.spec.TaskTemplate.ForceUpdate = s.old.Spec.TaskTemplate.ForceUpdate // another number would be another restart
		if s.why, err = pl.differences(s.old.Spec, w.spec); err != nil {
			return err
		}
		if kindOf(s.old.Spec.Mode) != kindOf(w.spec.Mode) {
			return fmt.Errorf("%s: service %s is %s, and cannot become %s: a swarm does not change that; take the stack away first "+
				"(stack.remove)", w.place, w.key, kindOf(s.old.Spec.Mode), kindOf(w.spec.Mode))
		}
	}
	if image.by != "" {
		s.why = append(s.why, "image "+w.image+" comes by "+image.by)
		p.guessed = append(p.guessed, fmt.Sprintf("that %s brings another image %s", image.by, w.image))
	}
	if s.act == update && len(s.why) == 0 {
		p.same = append(p.same, w.key)
		return nil
	}
	p.steps = append(p.steps, s)
	return nil
}

func (pl *planner) differences(old, now swarm.ServiceSpec) ([]string, error) {
	a, err := normal(old, pl.state.names)
	if err != nil {
		return nil, err
	}
	b, err := normal(now, nil)
	if err != nil {
		return nil, err
	}
	return differences(a, b), nil
}

func kindOf(m swarm.ServiceMode) string {
	switch {
	case m.Global != nil:
		return "global"
	case m.Replicated != nil:
		return "replicated"
	}
	return "a job"
}

// replicas is how many tasks a service is to have, ok is false where the swarm decides it by its machines.
func replicas(m swarm.ServiceMode) (n uint64, ok bool) {
	if m.Replicated == nil {
		return 0, false
	}
	if m.Replicated.Replicas == nil {
		return 1, true
	}
	return *m.Replicated.Replicas, true
}
