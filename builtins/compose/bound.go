package compose

import (
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// boundTo returns the service in the set that a service cannot outlive, "" if there is none.
func boundTo(s types.ServiceConfig, set map[string]bool) string {
	var to []string
	for _, mode := range []string{s.NetworkMode, s.Pid, s.Ipc} {
		if other, ok := strings.CutPrefix(mode, "service:"); ok {
			to = append(to, other)
		}
	}
	for _, v := range s.VolumesFrom {
		other, _, _ := strings.Cut(v, ":")
		to = append(to, other)
	}
	for _, other := range slices.Sorted(maps.Keys(s.DependsOn)) {
		if s.DependsOn[other].Restart {
			to = append(to, other)
		}
	}
	for _, other := range to {
		if set[other] {
			return other
		}
	}
	return ""
}

// dependents adds the services whose containers are bound to one that is made anew: they share its network, or are to be
// restarted with it.
func (pl *planner) dependents(p *plan) {
	renewed := map[string]bool{}
	for _, s := range p.steps {
		renewed[s.service] = renewed[s.service] || s.act == recreate
	}
	for again := true; again; {
		again = false
		for _, name := range slices.Sorted(maps.Keys(pl.project.Services)) {
			of := boundTo(pl.project.Services[name], renewed)
			if of == "" || renewed[name] || len(pl.selected) > 0 && !slices.Contains(pl.selected, name) {
				continue
			}
			for _, r := range ofService(pl.running, name) {
				if p.renew(r, sharesWith+of+", which is made anew") {
					renewed[name], again = true, true
				}
			}
		}
	}
}

// renew has a container be made anew that would stay, or only be started, and reports whether it would.
func (p *plan) renew(r replica, why string) bool {
	anew := step{recreate, r.service, r.name(), []string{why}, r.ID}
	i := slices.IndexFunc(p.steps, func(s step) bool { return s.id == r.ID })
	switch {
	case i < 0:
		p.same--
		p.steps = append(p.steps, anew)
	case p.steps[i].act == start:
		p.steps[i] = anew
	default:
		return false
	}
	return true
}
