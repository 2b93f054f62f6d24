package familytest

import (
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// Result is how a run ended, and everything that happened in it.
type Result struct {
	events.Collector
	Outcome events.Outcome
	t       testing.TB
}

// Want stops the test unless the run ended so.
func (r *Result) Want(want events.Result) *Result {
	r.t.Helper()
	if r.Outcome.Result != want {
		r.t.Fatalf("the run ended %s, want %s\n%s\nleft: %v", r.Outcome.Result, want, r.Outcome.Error, r.Outcome.Left)
	}
	return r
}

// WantError stops the test unless the run's error has all of these parts.
func (r *Result) WantError(parts ...string) *Result {
	r.t.Helper()
	for _, part := range parts {
		if !strings.Contains(r.Outcome.Error, part) {
			r.t.Fatalf("the error lacks %q:\n%s", part, r.Outcome.Error)
		}
	}
	return r
}

// Summaries returns a line for each change: status, call, and what was found.
func (r *Result) Summaries() []string {
	var lines []string
	for _, c := range r.Changes() {
		lines = append(lines, string(c.Status)+" "+c.Call+": "+c.Summary)
	}
	return lines
}
