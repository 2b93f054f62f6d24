// Package ports knows which TCP ports are listened on: in a preview as far as the run would change
// that, and on the machine itself.
//
// A change that will start or stop a listener says so with [Ports.Take] and [Ports.Free]; whoever
// asks about a port asks [Ports.Lookup] first and the machine ([Listener], a connection, a bind) only
// if nothing was predicted. The package knows nothing of who starts what.
//
//	ports.go     the prediction
//	listener.go  who listens on this machine, from /proc
package ports

import (
	"sync"

	"github.com/infrarun/infrarun/runtime"
)

// State is what a preview predicts about a port.
type State int

const (
	Unknown State = iota // nothing: ask the machine
	Taken                // something will listen on it
	Free                 // what listens on it now will be gone
)

// String returns the state in a word.
func (s State) String() string {
	switch s {
	case Taken:
		return "taken"
	case Free:
		return "free"
	}
	return "unknown"
}

// Ports is what a run predicts about the TCP ports of this machine. It is safe for concurrent use.
type Ports struct {
	mu    sync.Mutex
	known map[int]prediction
}

type prediction struct {
	state State
	by    string
}

// Of returns the predictions of a run; in a run that changes the machine there are none.
func Of(w *runtime.World) *Ports {
	return runtime.Overlay(w, "ports", func() *Ports { return &Ports{known: map[int]prediction{}} })
}

// Take predicts that something listens on port from now on. By names it to the operator, such as
// "console" or "nginx.service".
func (p *Ports) Take(port int, by string) { p.set(port, prediction{Taken, by}) }

// Free predicts that nothing listens on port any more.
func (p *Ports) Free(port int) { p.set(port, prediction{state: Free}) }

func (p *Ports) set(port int, to prediction) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known[port] = to
}

// Lookup returns what was predicted last about port, and who takes it if it is [Taken].
func (p *Ports) Lookup(port int) (state State, by string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.known[port]
	return known.state, known.by
}
