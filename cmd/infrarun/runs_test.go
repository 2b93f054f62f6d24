package main

import (
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestResultOf(t *testing.T) {
	of := func(r events.Result) *events.Outcome { return &events.Outcome{Result: r} }
	for _, tt := range []struct {
		outcome, rollback *events.Outcome
		want              string
	}{
		{nil, nil, "running, or killed"},
		{of(events.Succeeded), nil, "succeeded"},
		{of(events.Refused), nil, "refused"},
		{of(events.DeniedRun), nil, "refused by policy"},
		{of(events.RolledBack), nil, "failed, rolled back"},
		{of(events.Incomplete), nil, "failed, rollback incomplete"},
		{of(events.Interrupted), nil, "interrupted"},
		{of(events.Succeeded), of(events.Restored), "succeeded, then rolled back"},
		{of(events.Interrupted), of(events.Incomplete), "interrupted, then rollback incomplete"},
	} {
		if got := resultOf(runtime.Record{Outcome: tt.outcome, Rollback: tt.rollback}); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestTook(t *testing.T) {
	if got := took(runtime.Record{}); got != "-" {
		t.Errorf("a run without an outcome took %q", got)
	}
	if got := took(runtime.Record{Outcome: &events.Outcome{Duration: 12 * time.Millisecond}}); got != "12 ms" {
		t.Errorf("got %q", got)
	}
}
