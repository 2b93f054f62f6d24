package pkg

import (
	"maps"
	"sync"
	"time"

	"github.com/infrarun/infrarun/runtime"
)

// overlay is what a preview predicts about packages. It is safe for concurrent use.
type overlay struct {
	mu        sync.Mutex
	packages  map[string]string // what would be installed by then, in which version; "" if that is not known
	removed   map[string]bool
	refreshed time.Time // when the lists of packages would have been fetched
}

func predicted(w *runtime.World) *overlay {
	return runtime.Overlay(w, "pkg", func() *overlay {
		return &overlay{packages: map[string]string{}, removed: map[string]bool{}}
	})
}

func (o *overlay) install(name, version string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.packages[name] = version
	delete(o.removed, name)
}

func (o *overlay) remove(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.packages, name)
	o.removed[name] = true
}

func (o *overlay) refresh() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refreshed = time.Now()
}

func (o *overlay) refreshTime() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refreshed
}

// unknownVersion stands for the version of a package that a preview would install, where it is not known.
const unknownVersion = "unknown"

// apply returns the database as it would be by then.
func (o *overlay) apply(d database) database {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.packages) == 0 && len(o.removed) == 0 {
		return d
	}
	next := database{provides: maps.Clone(d.provides)}
	for name, version := range o.packages {
		if version == "" {
			version = unknownVersion
		}
		next.entries = append(next.entries, entry{Name: name, Version: version, Condition: installed})
	}
	for _, e := range d.entries {
		if !o.removed[e.Name] {
			next.entries = append(next.entries, e)
		}
	}
	for name := range o.removed {
		delete(next.provides, name)
	}
	return next
}
