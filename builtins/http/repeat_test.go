package http_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// flaky fails twice and then works. It tells the recipe's attempts.
func flaky(t *testing.T) (*httptest.Server, *atomic.Int64) {
	var n atomic.Int64
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		if n.Add(1) < 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}), &n
}

func TestRetries(t *testing.T) {
	for name, how := range map[string]string{"retries": "retries = 5", "deadline": "deadline = 60", "both": "retries = 5, deadline = 60"} {
		t.Run(name, func(t *testing.T) {
			s, n := flaky(t)
			r := fixture(t).Run(with(s, `
r = http_check(URL, interval = 0.01, `+how+`)
want = [(1, False, 503, "status 503, want 200"), (2, False, 503, "status 503, want 200"), (3, True, 200, "")]
test.equal([(a.n, a.ok, a.status, a.error) for a in r.attempts], want)
test.equal([r.ok, r.status, r.error], [True, 200, ""])
`)).Want(events.Succeeded)
			var out []string
			for _, e := range r.Events(events.Output) {
				out = append(out, e.Text)
			}
			if got, want := strings.Join(out, "|"), "attempt 1: status 503, want 200"; got != want {
				t.Errorf("output %q, want %q", got, want)
			}
			bars := r.Events(events.Progress)
			if len(bars) != 3 || bars[0].Progress.Done || !bars[2].Progress.Done {
				t.Errorf("progress %+v", bars)
			}
			if n.Load() != 3 {
				t.Errorf("asked %d times", n.Load())
			}
		})
	}
}

func TestGivingUp(t *testing.T) {
	f, s := fixture(t), answers(t)
	f.Run(with(s, `
r = http_check(URL + "/broken", retries = 2, interval = 0)
test.equal([len(r.attempts), r.ok, r.status, r.error], [3, False, 500, "status 500, want 200"])
r = http_check(URL + "/broken", deadline = 0.1, interval = 0.01)
test.equal([len(r.attempts) > 1, r.ok, r.error], [True, False, "status 500, want 200"])
r = http_check(URL + "/hang", deadline = 0.05, timeout = "1h")
test.equal([len(r.attempts), r.ok, r.status], [1, False, 0])
r = http_check(URL + "/broken", retries = 109, interval = 0)
test.equal([len(r.attempts), r.attempts[0].n, r.attempts[-1].n], [100, 11, 110])
`)).Want(events.Succeeded)
}

// interrupter is a sink that ends the run when an attempt failed.
type interrupter struct{ cancel context.CancelCauseFunc }

func (i interrupter) Handle(e events.Event) {
	if e.Kind == events.Output {
		i.cancel(runtime.ErrInterrupted)
	}
}

func (i interrupter) Close() error { return nil }

func TestEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	recipe := with(answers(t), `http_check(URL + "/broken", deadline = "24h", interval = "12h")`)
	fixture(t).RunContext(ctx, recipe, interrupter{cancel}).Want(events.Interrupted)
}

func TestAnAttemptEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	s := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		cancel(runtime.ErrInterrupted)
		<-r.Context().Done()
	})
	fixture(t).RunContext(ctx, with(s, `http_check(URL, timeout = "24h")`)).Want(events.Interrupted)
}

// A recipe that only looks sends nothing that somebody acts upon.
func TestLook(t *testing.T) {
	var asked atomic.Int64
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) { asked.Add(1) })
	look := func(method string) string {
		return "LOOKS = True\nPERMISSIONS = {\"net\": [\"127.0.0.1:*\"]}\n\ndef main(ctx):\n    http_check(\"" + s.URL + "\", method = \"" + method + "\")\n"
	}
	r := fixture(t).Run(look("POST")).Want(events.Refused)
	if !strings.Contains(r.Outcome.Error, "http_check: the recipe declared in LOOKS that it only looks") || asked.Load() != 0 {
		t.Errorf("%d requests, and the error is %s", asked.Load(), r.Outcome.Error)
	}
	fixture(t).Run(look("GET")).Want(events.Succeeded)
	if asked.Load() != 1 {
		t.Errorf("%d requests", asked.Load())
	}
}
