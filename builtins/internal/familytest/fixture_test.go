package familytest_test

import (
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
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

// What is granted counts for the kinds that only a family has, too.
func TestGrantOfAFamilysKind(t *testing.T) {
	type args struct {
		Name string `arg:"name" doc:"a name"`
	}
	enter := runtime.Define(runtime.Builtin{Name: "room.enter", Doc: "Enters.", Permission: "room on name"},
		func(c *runtime.Call, a args) (starlark.Value, error) {
			return nil, c.Need(policy.Need{Kind: "room", Target: a.Name})
		})
	f := familytest.New(t, &runtime.Family{
		Name: "room", Builtins: []*runtime.Builtin{enter}, Permissions: map[string]policy.Matcher{"room": policy.Names{}},
	})
	f.Run(`room.enter("a")`).Want(events.DeniedRun)
	f.Grant("room", "a")
	f.Run(`room.enter("a")`).Want(events.Succeeded)
}
