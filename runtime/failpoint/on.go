//go:build failpoints

package failpoint

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Variable is the environment variable that says where to fail, and how.
const Variable = "INFRARUN_FAILPOINT"

// Hit does what INFRARUN_FAILPOINT says about the place called name: nothing, as a rule.
func Hit(name string) error {
	switch configured().next(name) {
	case "kill", "torn":
		kill()
	case "error":
		return fmt.Errorf("%s: %w", name, ErrInjected)
	}
	return nil
}

// Write writes p to w, unless INFRARUN_FAILPOINT says to fail at the place called name. It returns what
// w.Write returns, or 0 and an error that wraps ErrInjected.
func Write(name string, w io.Writer, p []byte) (int, error) {
	switch configured().next(name) {
	case "kill":
		kill()
	case "torn":
		w.Write(p[:len(p)/2]) // the process is about to die: nobody is left to be told of an error
		kill()
	case "error":
		return 0, fmt.Errorf("%s: %w", name, ErrInjected)
	}
	return w.Write(p)
}

// plan is the one failure that the environment asks for.
type plan struct {
	mu     sync.Mutex
	name   string // "*" is every place
	after  int    // hits left until it fails
	action string // "" never fails
}

// configured reads the environment once. A mistake in it would silently test nothing, so it panics.
var configured = sync.OnceValue(func() *plan {
	p, err := parse(os.Getenv(Variable))
	if err != nil {
		panic(fmt.Sprintf("failpoint: %s: %v", Variable, err))
	}
	return p
})

// parse reads "name:N=action"; ":N" may be missing. An empty string is a plan that never fails.
func parse(s string) (*plan, error) {
	if s == "" {
		return &plan{}, nil
	}
	place, action, ok := strings.Cut(s, "=")
	if !ok {
		return nil, fmt.Errorf("%q: want name:N=action", s)
	}
	switch action {
	case "kill", "error", "torn":
	default:
		return nil, fmt.Errorf("unknown action %q: want kill, error or torn", action)
	}
	name, count, counted := strings.Cut(place, ":")
	after := 1
	if counted {
		n, err := strconv.Atoi(count)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("count %q: want a number from 1", count)
		}
		after = n
	}
	if name == "" {
		return nil, fmt.Errorf("%q names no place", s)
	}
	return &plan{name: name, after: after, action: action}, nil
}

// next counts a hit of name and returns the action if this is the hit to fail at, else "".
func (p *plan) next(name string) string {
	if p.action == "" || p.name != "*" && p.name != name {
		return ""
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.after--
	if p.after != 0 {
		return ""
	}
	return p.action
}

// kill ends this process at once and does not return.
func kill() {
	if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
		panic(fmt.Sprintf("failpoint: kill: %v", err))
	}
	select {} // until the signal is delivered
}
