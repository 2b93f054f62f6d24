// Package math is the family of builtins for computing with numbers: Starlark's own library.
//
//	math.ceil(x) math.floor(x) math.round(x)                to a whole number
//	math.fabs(x) math.copysign(x, y)                        sign
//	math.mod(x, y) math.remainder(x, y)                     what is left of a division
//	math.pow(x, y) math.sqrt(x) math.exp(x) math.log(x, base)
//	math.hypot(x, y) math.degrees(x) math.radians(x)
//	math.sin math.cos math.tan math.asin math.acos math.atan math.atan2
//	math.sinh math.cosh math.tanh math.asinh math.acosh math.atanh
//	math.gamma(x)
//	math.pi math.e
package math

import (
	"fmt"

	starmath "go.starlark.net/lib/math"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	f := &runtime.Family{
		Name: "math",
		Doc:  "Computing with numbers. Every function takes ints and floats; angles are in radians.",
		Constants: starlark.StringDict{
			"pi": starmath.Module.Members["pi"],
			"e":  starmath.Module.Members["e"],
		},
		Builtins: []*runtime.Builtin{logBuiltin},
	}
	for _, fn := range unary {
		f.Builtins = append(f.Builtins, one(fn))
	}
	for _, fn := range binary {
		f.Builtins = append(f.Builtins, two(fn))
	}
	return f
}

// function is a function of Starlark's library, and what it returns.
type function struct{ name, doc, returns string }

var unary = []function{
	{"ceil", "Returns the least whole number not below x.", "int"},
	{"floor", "Returns the greatest whole number not above x.", "int"},
	{"round", "Returns the whole number nearest to x, halves away from zero.", "float"},
	{"fabs", "Returns x without its sign.", "float"},
	{"sqrt", "Returns the square root of x.", "float"},
	{"exp", "Returns e to the power of x.", "float"},
	{"degrees", "Turns an angle from radians into degrees.", "float"},
	{"radians", "Turns an angle from degrees into radians.", "float"},
	{"sin", "Returns the sine of x.", "float"},
	{"cos", "Returns the cosine of x.", "float"},
	{"tan", "Returns the tangent of x.", "float"},
	{"asin", "Returns the arc sine of x.", "float"},
	{"acos", "Returns the arc cosine of x.", "float"},
	{"atan", "Returns the arc tangent of x.", "float"},
	{"sinh", "Returns the hyperbolic sine of x.", "float"},
	{"cosh", "Returns the hyperbolic cosine of x.", "float"},
	{"tanh", "Returns the hyperbolic tangent of x.", "float"},
	{"asinh", "Returns the inverse hyperbolic sine of x.", "float"},
	{"acosh", "Returns the inverse hyperbolic cosine of x.", "float"},
	{"atanh", "Returns the inverse hyperbolic tangent of x.", "float"},
	{"gamma", "Returns the gamma function of x.", "float"},
}

var binary = []function{
	{"pow", "Returns x to the power of y.", "float"},
	{"mod", "Returns what is left of x after dividing it by y, with the sign of x.", "float"},
	{"remainder", "Returns x less the multiple of y that is nearest to it (IEEE 754).", "float"},
	{"copysign", "Returns x with the sign of y.", "float"},
	{"hypot", "Returns the distance of the point x, y from the origin.", "float"},
	{"atan2", "Returns the angle from the x axis to the point; x is its height and y its width.", "float"},
}

// number is a parameter that takes an int or a float.
type number struct{ starlark.Value }

// TypeName names the type in documentation.
func (*number) TypeName() string { return "number" }

// Unpack implements starlark.Unpacker.
func (n *number) Unpack(v starlark.Value) error {
	switch v.(type) {
	case starlark.Int, starlark.Float:
		n.Value = v
		return nil
	}
	return fmt.Errorf("got %s, want int or float", v.Type())
}

type oneArg struct {
	X number `arg:"x" doc:"the number"`
}

func one(fn function) *runtime.Builtin {
	return runtime.Define(runtime.Builtin{Name: "math." + fn.name, Doc: fn.doc, Returns: fn.returns, Pure: true},
		func(c *runtime.Call, a oneArg) (starlark.Value, error) { return call(c, fn.name, a.X) })
}

type twoArgs struct {
	X number `arg:"x" doc:"the first number"`
	Y number `arg:"y" doc:"the second number"`
}

func two(fn function) *runtime.Builtin {
	return runtime.Define(runtime.Builtin{Name: "math." + fn.name, Doc: fn.doc, Returns: fn.returns, Pure: true},
		func(c *runtime.Call, a twoArgs) (starlark.Value, error) { return call(c, fn.name, a.X, a.Y) })
}

type logArgs struct {
	X    number `arg:"x" doc:"the number"`
	Base number `arg:"base" default:"" doc:"the base, not 1; None: e"`
}

var logBuiltin = runtime.Define(runtime.Builtin{
	Name: "math.log", Pure: true, Returns: "float", Doc: "Returns the logarithm of x.", Example: "math.log(1024, 2)",
}, func(c *runtime.Call, a logArgs) (starlark.Value, error) {
	if a.Base.Value == nil {
		return call(c, "log", a.X)
	}
	return call(c, "log", a.X, a.Base)
})

// call calls a function of Starlark's library.
func call(c *runtime.Call, name string, args ...number) (starlark.Value, error) {
	values := make(starlark.Tuple, len(args))
	for i, a := range args {
		values[i] = a.Value
	}
	return starmath.Module.Members[name].(*starlark.Builtin).CallInternal(c.Thread, values, nil)
}
