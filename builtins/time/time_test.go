package time_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/time"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBuiltins(t *testing.T) {
	f := familytest.New(t, time.Family())
	for _, test := range []struct{ expr, want string }{
		{`time.parse("2024-03-01T12:30:00Z").unix`, `1709296200`},
		{`time.parse("1.3.2024", format = "2.1.2006").unix`, `1709251200`},
		{`time.parse("2024-03-01", format = "2006-01-02", location = "UTC") == time.time(2024, 3, 1)`, `True`},
		{`time.format(time.time(2024, 10, 32, hour = 4, location = "UTC"))`, `"2024-11-01T04:00:00Z"`},
		{`time.format(time.time(2024, 3, 1), "20060102-150405")`, `"20240301-000000"`},
		{`time.from_timestamp(1709296200, nsec = 5).unix_nano`, `1709296200000000005`},
		{`time.duration("1m30s").seconds`, `90.0`},
		{`time.duration(1.5) == 3 * time.duration("500ms")`, `True`},
		{`time.duration(2) == 2 * time.second`, `True`},
		{`(time.time(2024, 1, 2) - time.time(2024, 1, 1)).hours`, `24.0`},
		{`time.now() - time.duration("1h") < time.now()`, `True`},
		{`[time.is_valid_timezone("UTC"), time.is_valid_timezone("Nowhere/At_All")]`, `[True, False]`},
		{`time.sleep("1ms")`, `None`},
	} {
		recipe := fmt.Sprintf("test.equal(%s, %s)", test.expr, test.want)
		f.Run(recipe).Want(events.Succeeded)
		f.Preview(recipe).Want(events.NoChange)
	}
}

func TestErrors(t *testing.T) {
	f := familytest.New(t, time.Family())
	for recipe, want := range map[string]string{
		`time.parse("yesterday")`:                  `time.parse: parsing time "yesterday"`,
		`time.parse("x", location = "Nowhere/At")`: "unknown time zone Nowhere/At",
		`time.time(2024, location = "Nowhere/At")`: "unknown time zone Nowhere/At",
		`time.format("now")`:                       `time.format: for parameter t: got string, want time.time`,
		`time.duration("soon")`:                    `time.duration: for parameter length`,
		`time.sleep(-1)`:                           "is negative",
	} {
		f.Run(recipe).Want(events.Refused).WantError(want)
	}
}

// A preview of a long wait is done at once: the test would hit the time limit of go test otherwise.
func TestPreviewDoesNotSleep(t *testing.T) {
	familytest.New(t, time.Family()).Preview(`time.sleep("24h")`).Want(events.NoChange)
}

// canceller cancels a run when the recipe says that it is about to sleep.
type canceller struct{ cancel context.CancelCauseFunc }

func (c canceller) Handle(e events.Event) {
	if e.Kind == events.Log && e.Text == "now" {
		c.cancel(runtime.ErrInterrupted)
	}
}

func (c canceller) Close() error { return nil }

func TestSleepEndsWithTheRun(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(errors.New("the test is over"))
	r := familytest.New(t, time.Family()).RunContext(ctx, "print(\"now\")\ntime.sleep(\"24h\")", canceller{cancel})
	r.Want(events.Interrupted)
}
