package runtime

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// result is how a run ended, and everything that happened in it.
type result struct {
	events.Collector
	events.Outcome
	t testing.TB
}

// want stops the test unless the run ended so, with that exit code, and told it once.
func (r *result) want(want events.Result, code int) *result {
	r.t.Helper()
	if r.Result != want || r.ExitCode != code {
		r.t.Fatalf("ended %s (exit %d), want %s (exit %d)\n%s\nleft: %v", r.Result, r.ExitCode, want, code, r.Outcome.Error, r.Left)
	}
	if n := len(r.Events(events.RunFinished)); n != 1 {
		r.t.Fatalf("the end was told %d times", n)
	}
	return r
}

// wantError stops the test unless the error has all of these parts.
func (r *result) wantError(parts ...string) *result {
	r.t.Helper()
	wantParts(r.t, "error", r.Outcome.Error, parts...)
	return r
}

func wantParts(t testing.TB, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Fatalf("the %s lacks %q:\n%s", what, part, text)
		}
	}
}

// wantErr stops the test unless err has all of these parts, shown with its place and hint.
func wantErr(t testing.TB, r *Recipe, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	var text strings.Builder
	r.Diagnose(err).Write(&text, false)
	wantParts(t, "error", text.String(), parts...)
}

// logs returns the texts that were logged at a level.
func (r *result) logs(level string) string {
	var lines []string
	for _, e := range r.Events(events.Log) {
		if e.Level == level {
			lines = append(lines, e.Text)
		}
	}
	return strings.Join(lines, "\n")
}

// told returns a line for each change that finished.
func (r *result) told() []string {
	var lines []string
	for _, c := range r.Collector.Changes() {
		lines = append(lines, fmt.Sprintf("%s %s %s", c.Status, c.Call, filepath.Base(c.Target)))
	}
	return lines
}
