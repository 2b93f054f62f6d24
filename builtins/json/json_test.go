package json_test

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/json"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBuiltins(t *testing.T) {
	f := familytest.New(t, json.Family())
	for name, recipe := range map[string]string{
		"encode":          `test.equal(json.encode({"b": [1, 1.5, None, True], "a": struct(x = "é\n")}), "{\"a\":{\"x\":\"é\\n\"},\"b\":[1,1.5,null,true]}")`,
		"encode indented": `test.equal(json.encode({"b": [1]}, indent = " "), "{\n \"b\": [\n  1\n ]\n}")`,
		"decode":          `test.equal(json.decode("{\"a\": [1, 1.5, null, true, \"x\"]}"), {"a": [1, 1.5, None, True, "x"]})`,
		"default":         `test.equal(json.decode("nope", default = {}), {})`,
		"default unused":  `test.equal(json.decode("1", default = 2), 1)`,
		"long integers":   `test.equal(json.decode("123456789012345678901234567890"), 123456789012345678901234567890)`,
	} {
		t.Run(name, func(t *testing.T) {
			f.Run(recipe).Want(events.Succeeded)
			f.Preview(recipe).Want(events.NoChange)
		})
	}
}

func TestErrors(t *testing.T) {
	f := familytest.New(t, json.Family())
	for recipe, want := range map[string]string{
		`json.decode("[1,")`:            "json.decode: at offset 3, unexpected end of file",
		`json.decode("[" * 2000000)`:    "json.decode: line 1: nested deeper than 256 levels",
		`json.decode(" " * (17 << 20))`: "the limit is 16 MiB",
		`json.encode(len)`:              "json.encode: a builtin_function_or_method is no plain data",
		`json.encode({1: 2})`:           "json.encode: key 1 is int, want string",
		`json.encode(1e308 * 10)`:       "json.encode: JSON has no number +inf",
		`json.encode("x" * (17 << 20))`: "larger than 16 MiB",
		`json.decode(text = 1)`:         "for parameter \"text\": got int, want string",
	} {
		f.Run(recipe).Want(events.Refused).WantError(want)
	}
}
