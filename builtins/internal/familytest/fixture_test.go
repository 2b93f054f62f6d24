package familytest_test

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestFixture(t *testing.T) {
	f := familytest.New(t)
	f.Preview(`test.equal(DIR[0], "/")`).Want(events.NoChange)
	f.Run(`test.equal(1, 1)`).Want(events.Succeeded)
	f.Run(`test.equal(1, 2)`).Want(events.Refused).WantError("got 1, want 2")
	f.Run("def main(ctx):\n    test.contains(\"abc\", \"d\")\n").Want(events.Refused).WantError(`"d" is not in "abc"`)
	f.Module("lib.star", "def three():\n    return 3\n")
	f.Run("load(\"//lib.star\", \"three\")\ndef main(ctx):\n    test.equal(three(), 3)\n").Want(events.Succeeded)
	if _, ok := f.Run(`print("hello")`).Collector.Outcome(); !ok {
		t.Error("the events lack the outcome")
	}
}
