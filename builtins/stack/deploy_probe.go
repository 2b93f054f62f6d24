package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// seen is what a swarm has of a stack, through what a preview predicts. Where a preview is of a run that installs the
// engine first, it has nothing.
func seen(ctx context.Context, r *runtime.Reader, e *engine.Client, name string) (*state, error) {
	if e.Assumed() == "" {
		if err := manager(ctx, e); err != nil {
			return nil, err
		}
	}
	s, err := look(ctx, e, name)
	if err != nil || !r.Preview() {
		return s, err
	}
	before := predictions(r.World()).of(name)
	if before == nil {
		return s, nil
	}
	real := s.services
	s.services = nil
	for _, service := range slices.Sorted(maps.Keys(before.services)) {
		one := swarm.Service{Spec: before.services[service]}
		for _, was := range real {
			if was.Spec.Name == service {
				one.ID = was.ID
			}
		}
		s.services = append(s.services, one)
	}
	s.networks, s.configs, s.secrets = nil, nil, nil
	for _, n := range before.networks {
		s.networks = append(s.networks, n)
	}
	for f, labels := range before.files {
		kind, file, _ := strings.Cut(f, " ")
		about := swarm.Annotations{Name: file, Labels: labels}
		if kind == string(configKind) {
			s.configs = append(s.configs, swarm.Config{ID: file, Spec: swarm.ConfigSpec{Annotations: about}})
		} else {
			s.secrets = append(s.secrets, swarm.Secret{ID: file, Spec: swarm.SecretSpec{Annotations: about}})
		}
	}
	return s, nil
}

// Probe implements [runtime.Change].
func (d *deploy) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	e, s, err := opened(ctx, r, d.def.name)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	d.state = s
	if e.Assumed() == "" {
		if err := checkOutside(ctx, e, s, d.def.outside); err != nil {
			return runtime.Finding{}, err
		}
	}
	images := &resolver{engine: e, reader: r, auth: d.auth, need: d.need, done: map[string]resolved{}}
	pl := planner{def: d.def, state: s, only: d.only, orphans: d.orphans, resolve: images.resolve}
	if d.plan, err = pl.plan(ctx); err != nil {
		return runtime.Finding{}, err
	}
	if d.plan.empty() {
		return runtime.Finding{Summary: fmt.Sprintf("%d services are as wanted", len(d.plan.same)), Value: value(d.def.name, false)}, nil
	}
	assumed := d.plan.guessed
	if text := e.Assumed(); text != "" {
		assumed = append(assumed, text+"; that it is a manager of a swarm by then")
	}
	if len(d.plan.local) > 0 {
		assumed = append(assumed, "that every machine of the swarm has "+strings.Join(d.plan.local, ", ")+", which no registry has")
	}
	if r.Preview() && d.wait && len(d.plan.steps) > 0 {
		assumed = append(assumed, "that the tasks come up")
	}
	return runtime.Finding{Needed: true, Summary: d.plan.summary(), Diff: d.plan.diff(), Assumed: strings.Join(assumed, "; ")}, nil
}

// checkOutside fails unless what something else has to have made is there.
func checkOutside(ctx context.Context, e *engine.Client, s *state, wanted []outside) error {
	if len(wanted) == 0 {
		return nil
	}
	there := map[string]bool{}
	for _, name := range s.names {
		there["network "+name] = true
	}
	configs, err := e.ConfigList(ctx, swarm.ConfigListOptions{})
	if err != nil {
		return fmt.Errorf("list configs: %w", engine.Explain(ctx, err))
	}
	for _, c := range configs {
		there["config "+c.Spec.Name] = true
	}
	secrets, err := e.SecretList(ctx, swarm.SecretListOptions{})
	if err != nil {
		return fmt.Errorf("list secrets: %w", engine.Explain(ctx, err))
	}
	for _, c := range secrets {
		there["secret "+c.Spec.Name] = true
	}
	for _, o := range wanted {
		if !there[o.kind+" "+o.name] {
			return fmt.Errorf("%s: the swarm has no %s %s, which the file calls external: make it first", o.place, o.kind, o.name)
		}
	}
	return nil
}

// summary counts what is to be done.
func (p *plan) summary() string {
	counts := map[act]int{}
	for _, s := range p.steps {
		counts[s.act]++
	}
	var parts []string
	for _, a := range []act{create, update, remove} {
		if counts[a] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", a, counts[a]))
		}
	}
	if n := len(p.networks) + len(p.files); n > 0 {
		parts = append(parts, fmt.Sprintf("make %d networks, configs and secrets", n))
	}
	if len(p.same) > 0 {
		parts = append(parts, fmt.Sprintf("%d stay", len(p.same)))
	}
	return strings.Join(parts, ", ")
}

// diff lists what is to be done, a line each.
func (p *plan) diff() string {
	var text strings.Builder
	for _, n := range p.networks {
		fmt.Fprintf(&text, "+ create network %s\n", n.name)
	}
	for _, f := range p.files {
		fmt.Fprintf(&text, "+ create %s", f.shown())
		if slices.Contains(p.unknown, f.shown()) {
			text.WriteString(" (that which is there was made with another state directory: what is in it is not known here)")
		}
		text.WriteString("\n")
	}
	for _, s := range p.steps {
		sign := map[act]string{create: "+", update: "~", remove: "-"}[s.act]
		fmt.Fprintf(&text, "%s %s\n", sign, s)
	}
	for _, name := range p.same {
		fmt.Fprintf(&text, "  leave service %s alone\n", name)
	}
	return text.String()
}
