package log_test

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/log"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestLevels(t *testing.T) {
	f := familytest.New(t, log.Family())
	recipe := "log.debug(\"a\")\nlog.info(message = \"b\")\nlog.warn(3)\nlog.error([\"d\", None])"
	for _, r := range []*familytest.Result{f.Run(recipe).Want(events.Succeeded), f.Preview(recipe).Want(events.NoChange)} {
		var got []string
		for _, e := range r.Events(events.Log) {
			got = append(got, e.Level+" "+e.Text)
			if e.Position == "" {
				t.Errorf("%s has no position", e.Text)
			}
		}
		want := []string{"debug a", "info b", "warn 3", `error ["d", None]`}
		for i := range want {
			if i >= len(got) || got[i] != want[i] {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
	}
}
