package math_test

import (
	"fmt"
	"testing"

	starmath "go.starlark.net/lib/math"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/math"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBuiltins(t *testing.T) {
	f := familytest.New(t, math.Family())
	for _, test := range []struct{ expr, want string }{
		{"math.ceil(1.2)", "2"},
		{"math.floor(-1.2)", "-2"},
		{"math.floor(7)", "7"},
		{"math.round(2.5)", "3.0"},
		{"math.sqrt(x = 9)", "3.0"},
		{"math.pow(2, 10)", "1024.0"},
		{"math.mod(-7, 3)", "-1.0"},
		{"math.copysign(3, -1)", "-3.0"},
		{"math.log(1024, 2)", "10.0"},
		{"math.log(math.e)", "1.0"},
		{"math.degrees(math.pi)", "180.0"},
		{"math.round(math.atan2(1, 0) * 2 - math.pi)", "0.0"},
	} {
		f.Run(fmt.Sprintf("test.equal(%s, %s)", test.expr, test.want)).Want(events.Succeeded)
	}
	f.Run(`math.sqrt("9")`).Want(events.Refused).WantError(`math.sqrt: for parameter x: got string, want int or float`)
	f.Run(`math.log(2, 1)`).Want(events.Refused).WantError("math.log: division by zero")
}

// Everything in Starlark's library is offered.
func TestComplete(t *testing.T) {
	family := math.Family()
	have := map[string]bool{}
	for _, b := range family.Builtins {
		have[b.Name] = true
	}
	for name := range starmath.Module.Members {
		if !have["math."+name] && family.Constants[name] == nil {
			t.Errorf("math.%s is missing", name)
		}
	}
}
