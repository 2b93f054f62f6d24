package process

import (
	"sync"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// predictions are what a preview predicts about services.
type predictions struct {
	mu      sync.Mutex
	running map[service]bool
}

func predictionsOf(w *runtime.World) *predictions {
	return runtime.Overlay(w, "process", func() *predictions { return &predictions{running: map[service]bool{}} })
}

func (p *predictions) set(s service, running bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running[s] = running
}

// of tells what was predicted about a service, ok if anything was.
func (p *predictions) of(s service) (running, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	running, ok = p.running[s]
	return running, ok
}

// predict enters that a service is started or stopped. A file without content is one that is not known.
func predict(w *runtime.World, s service, running bool, files []filesys.NewFile) error {
	o := filesys.Predicted(w)
	for _, f := range files {
		var err error
		if f.Content == nil {
			err = o.Opaque(f.Path, "a file of "+s.name)
		} else {
			err = o.WriteFile(f.Path, f.Content, f.Mode, filesys.Keep, filesys.Keep)
		}
		if err != nil {
			return err
		}
	}
	for _, path := range []string{s.pidFile(), s.stateFile()} {
		if err := o.Opaque(path, "written by "+s.name); err != nil {
			return err
		}
	}
	predictionsOf(w).set(s, running)
	return nil
}

// startsNothing is the hint for whoever asks what only the process itself could tell.
const startsNothing = "a preview starts no process: leave out what looks at it with run.assume(…)"
