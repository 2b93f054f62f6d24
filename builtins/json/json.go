// Package json is the family of builtins that read and write JSON.
//
//	json.encode(value, indent = "")   the value as JSON
//	json.decode(text, default = None) the value that a JSON text stands for
//
// A text has at most 16 MiB and is not nested deeper than 256 levels.
package json

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/data"
	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "json",
		Doc: "JSON texts. At most 16 MiB and 256 levels of nesting; objects are dicts, arrays lists, numbers int or " +
			"float, null is None.",
		Builtins: []*runtime.Builtin{encodeBuiltin, decodeBuiltin},
	}
}

type encodeArgs struct {
	Value  starlark.Value `arg:"value" doc:"plain data: None, bool, int, float, string, list, tuple, dict with string keys, struct"`
	Indent string         `arg:"indent" default:"" doc:"what each level of nesting is indented by; empty: everything in one line"`
}

var encodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "json.encode", Pure: true, Returns: "string",
	Doc: "Writes a value as JSON. Keys are sorted, so the same value always gives the same text. Strings must be UTF-8; " +
		"infinite numbers and values nested deeper than 256 levels are errors.",
	Example: `json.encode({"port": 8082, "hosts": ["a", "b"]}, indent = "  ")`,
}, func(_ *runtime.Call, a encodeArgs) (starlark.Value, error) {
	text, err := data.EncodeJSON(a.Value, a.Indent)
	return starlark.String(text), err
})

type decodeArgs struct {
	Text    string         `arg:"text" doc:"the JSON text"`
	Default starlark.Value `arg:"default" default:"" doc:"what to return if the text is no JSON; None: that is an error"`
}

var decodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "json.decode", Pure: true, Returns: "dict, list, string, int, float, bool or None",
	Doc: "Reads a JSON text. What is no JSON, is longer than 16 MiB or nested deeper than 256 levels is an error, unless " +
		"there is a default. Of a key that comes twice the last value counts.",
	Example: `json.decode(fs.read("package.json"))["version"]`,
}, func(_ *runtime.Call, a decodeArgs) (starlark.Value, error) {
	v, err := data.DecodeJSON(a.Text)
	if err != nil && a.Default != nil {
		return a.Default, nil
	}
	return v, err
})
