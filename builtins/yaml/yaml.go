// Package yaml is the family of builtins that read and write YAML.
//
//	yaml.encode(value)   the value as YAML
//	yaml.decode(text)    the value that a YAML text stands for
//
// What is read is data and nothing else: a text gives None, booleans, numbers, strings, lists and dicts. Dates stay
// strings, tags of other types are refused, and so is what reads differently from how it looks: a key that comes
// twice, several documents. Aliases (*name) and merges (<<) are carried out, but what they add up to is bounded: a
// few lines of aliases of aliases would otherwise fill any memory.
//
//	decode.go  from a text to nodes, and its limits
//	scalar.go  from a scalar to a value
//	encode.go  from a value to a text
package yaml

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "yaml",
		Doc: "YAML texts. One document of at most 4 MiB and 256 levels of nesting; mappings are dicts in the order of " +
			"the text, sequences lists, dates strings.",
		Builtins: []*runtime.Builtin{encodeBuiltin, decodeBuiltin},
	}
}

type encodeArgs struct {
	Value starlark.Value `arg:"value" doc:"plain data: None, bool, int, float, string, list, tuple, dict, struct"`
}

var encodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "yaml.encode", Pure: true, Returns: "string",
	Doc: "Writes a value as YAML, in blocks indented by two spaces. Dicts keep their order, so the same value always " +
		"gives the same text; strings that would read as something else are quoted.",
	Example: `fs.write(dir + "/console.yaml", yaml.encode({"listen": ":8082", "debug": False}))`,
}, func(_ *runtime.Call, a encodeArgs) (starlark.Value, error) {
	text, err := encode(a.Value)
	return starlark.String(text), err
})

type decodeArgs struct {
	Text string `arg:"text" doc:"the YAML text, one document"`
}

var decodeBuiltin = runtime.Define(runtime.Builtin{
	Name: "yaml.decode", Pure: true, Returns: "dict, list, string, int, float, bool or None",
	Doc: "Reads a YAML text. Dates stay strings, and yes, no, on and off are strings too; 0644 is the number 420, so " +
		"quote modes. An error: several documents, a key that comes twice, tags of types other than the usual ones, more " +
		"than 4 MiB, more than 256 levels. An empty text is None.",
	Example: `yaml.decode(fs.read("configs/production.yaml"))["console"]["port"]`,
}, func(_ *runtime.Call, a decodeArgs) (starlark.Value, error) {
	return decode(a.Text)
})
