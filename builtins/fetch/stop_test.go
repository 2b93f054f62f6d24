package fetch

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// slow is a server that sends a part of a file, and then nothing until the client is gone.
func slow(t *testing.T) *site {
	s := newSite(t, map[string][]byte{"/app": []byte("program")})
	s.special = func(w http.ResponseWriter, r *http.Request, _ int) bool {
		w.Header().Set("Content-Length", "7")
		w.Write([]byte("prog"))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		return true
	}
	return s
}

// stopping ends a run when the first progress is seen.
type stopping struct{ stop func(error) }

// Handle implements [events.Sink].
func (s stopping) Handle(e events.Event) {
	if e.Kind == events.Progress {
		s.stop(runtime.ErrInterrupted)
	}
}

// Close implements [events.Sink].
func (s stopping) Close() error { return nil }

func TestInterrupted(t *testing.T) {
	f, s := fixture(t), slow(t)
	before := familytest.Tree(t, f.Dir)
	for _, call := range []string{`fetch.file(URL + "/app", DIR + "/app", SUM["/app"])`, `fetch.tree(URL + "/app", DIR + "/app", SUM["/app"])`} {
		ctx, stop := context.WithCancelCause(t.Context())
		f.RunContext(ctx, s.recipe(call), stopping{stop}).Want(events.Interrupted)
		familytest.SameTree(t, call, familytest.Tree(t, f.Dir), before)
	}
}

func TestTimeout(t *testing.T) {
	f, s := fixture(t), slow(t)
	f.Run(s.recipe(`fetch.file(URL + "/app", DIR + "/app", SUM["/app"], timeout = 0.1)`)).Want(events.Refused).
		WantError("it was not done within 100ms; give it more time with timeout")
}

func TestStalled(t *testing.T) {
	defer func(before time.Duration) { stallTime = before }(stallTime)
	stallTime = 50 * time.Millisecond
	f, s := fixture(t), slow(t)
	f.Run(s.recipe(`fetch.file(URL + "/app", DIR + "/app", SUM["/app"], retries = 1)`)).Want(events.Refused).
		WantError("nothing more came for 50ms (attempt 2, the last)")
}
