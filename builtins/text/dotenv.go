package text

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/envfile"
	"github.com/infrarun/infrarun/runtime"
)

type dotenvArgs struct {
	Values *starlark.Dict `arg:"values" doc:"strings, ints or bools by name; names are letters, digits and _"`
}

var dotenvBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.dotenv", Pure: true, Returns: "string",
	Doc: "Writes an environment file: lines KEY=value, in the order of the dict, which a POSIX shell reads as they are meant. " +
		"A value is bare if it consists of letters, digits and _./:@%+,=- only; else it is in single quotes, and a quote in " +
		"it is '\\''. True is true and False is false. A value with a line break is an error, since readers of such files " +
		"disagree about those.",
	Example: `fs.write(path, text.dotenv({"INFRA_CORE_ENV": "production", "PORT": 8082}), mode = "0600")`,
}, func(_ *runtime.Call, a dotenvArgs) (starlark.Value, error) {
	var b strings.Builder
	for k, v := range starlark.Entries(a.Values) {
		line, err := dotenvLine(k, v)
		if err != nil {
			return nil, err
		}
		b.WriteString(line)
	}
	return starlark.String(b.String()), nil
})

// dotenvLine writes one line. Its errors do not show the value, which may be a secret.
func dotenvLine(k, v starlark.Value) (string, error) {
	key, ok := starlark.AsString(k)
	if !ok {
		return "", fmt.Errorf("%s is no name of a variable: it is %s, want string", k, k.Type())
	}
	var value string
	switch v := v.(type) {
	case starlark.String:
		value = string(v)
	case starlark.Int:
		value = v.String()
	case starlark.Bool:
		value = strings.ToLower(v.String())
	default:
		return "", fmt.Errorf("the value of %s is %s, want string, int or bool", key, v.Type())
	}
	return envfile.Line(envfile.Variable{Name: key, Value: value})
}

var parseDotenvBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.parse_dotenv", Pure: true, Returns: "dict from string to string",
	Doc: "Reads an environment file as text.dotenv writes it. Empty lines and lines that begin with # are left out; a name " +
		"that comes twice is an error, and so is any line that a shell would read differently.",
	Example: `port = text.parse_dotenv(fs.read(path))["PORT"]`,
}, func(_ *runtime.Call, a textArgs) (starlark.Value, error) {
	return parseDotenv(a.Text)
})

func parseDotenv(text string) (*starlark.Dict, error) {
	vars, err := envfile.Parse(text)
	if err != nil {
		return nil, err
	}
	d := starlark.NewDict(len(vars))
	for _, v := range vars {
		if err := d.SetKey(starlark.String(v.Name), starlark.String(v.Value)); err != nil {
			return nil, err
		}
	}
	return d, nil
}
