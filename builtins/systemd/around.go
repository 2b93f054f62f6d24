package systemd

import (
	"context"
	"path/filepath"
	"slices"
)

// maxAround is how many units are followed.
const maxAround = 200

// asking tells how a unit is.
type asking func(ctx context.Context, unit string) (state, error)

// pulled lists the units that do not run and that starting a unit starts as well.
func (ask asking) pulled(ctx context.Context, unit string) ([]string, error) {
	return ask.around(ctx, unit, func(s state) ([]string, bool) { return s.needs, !s.on() && s.Load == "loaded" })
}

// dependents lists the units that run and that stopping a unit stops as well.
func (ask asking) dependents(ctx context.Context, unit string) ([]string, error) {
	return ask.around(ctx, unit, func(s state) ([]string, bool) { return s.needers, s.on() })
}

// around follows units from one to the next, as long as they belong to those that are looked for, and lists these without
// the first, the nearest first.
func (ask asking) around(ctx context.Context, unit string, next func(state) (units []string, belongs bool)) ([]string, error) {
	var found []string
	known := map[string]bool{unit: true}
	queue := []string{unit}
	for len(queue) > 0 && len(known) < maxAround {
		name := queue[0]
		queue = queue[1:]
		s, err := ask(ctx, name)
		if err != nil {
			return nil, err
		}
		units, belongs := next(s)
		if name != unit {
			if !belongs {
				continue
			}
			found = append(found, s.Unit)
		}
		for _, u := range units {
			// What groups processes, or comes and goes with hardware, is not started or stopped as a service is.
			if !known[u] && !slices.Contains([]string{".slice", ".scope", ".device"}, filepath.Ext(u)) {
				known[u] = true
				queue = append(queue, u)
			}
		}
	}
	return found, nil
}

// wanted reports whether a unit that runs needs another one, or pulls it in.
func (b *bus) wanted(ctx context.Context, s state) (bool, error) {
	for _, u := range s.wanters {
		by, err := b.state(ctx, u)
		if err != nil || by.on() {
			return by.on(), err
		}
	}
	return false, nil
}
