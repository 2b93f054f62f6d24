package text

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// The grammar of an environment file, read here, by the start scripts of services, and by any POSIX shell (`. file`)
// with the same result:
//
//	file    = { [ line ] "\n" }
//	line    = "#" anything | key "=" value
//	key     = letter or "_", then letters, digits, "_"
//	value   = bare | quoted
//	bare    = characters that mean nothing to a shell: letters, digits and _ . / : @ % + , = -
//	quoted  = "'" anything but "'" and "\n" "'", repeated with \' in between: 'it'\''s'
//
// There are no spaces around "=" and none at the end, no double quotes, no $NAME, no export, no value of several
// lines: each of these is read differently by some reader of such files.
var (
	keyPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	barePattern = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]*$`)
)

// escapedQuote is how a quote is written in a quoted value: the value ends, a quote, the value goes on.
const escapedQuote = `'\''`

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
	if !ok || !keyPattern.MatchString(key) {
		return "", fmt.Errorf("%s is no name of a variable: it must be letters, digits and _, not begin with a digit", k)
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
	switch {
	case strings.Contains(value, "\n"):
		return "", fmt.Errorf("the value of %s has a line break, which environment files cannot hold; encode it, such as with text.base64_encode", key)
	case strings.Contains(value, "\x00"):
		return "", fmt.Errorf("the value of %s has a NUL byte, which no environment variable can hold", key)
	case !barePattern.MatchString(value):
		value = "'" + strings.ReplaceAll(value, "'", escapedQuote) + "'"
	}
	return key + "=" + value + "\n", nil
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
	d := starlark.NewDict(strings.Count(text, "\n"))
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		key, raw, found := strings.Cut(line, "=")
		if !found || !keyPattern.MatchString(key) {
			return nil, fmt.Errorf("line %d is not KEY=value, with a name of letters, digits and _ and no spaces around =", n)
		}
		value, ok := unquote(raw)
		if !ok {
			return nil, fmt.Errorf("line %d: the value of %s must be bare, of letters, digits and _./:@%%+,=- only, or in single quotes with '\\'' for a quote", n, key)
		}
		if _, twice, _ := d.Get(starlark.String(key)); twice {
			return nil, fmt.Errorf("line %d: %s comes twice", n, key)
		}
		if err := d.SetKey(starlark.String(key), starlark.String(value)); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// unquote reads a value.
func unquote(raw string) (string, bool) {
	if barePattern.MatchString(raw) {
		return raw, true
	}
	if len(raw) < 2 || raw[0] != '\'' || raw[len(raw)-1] != '\'' || strings.Contains(raw, "\x00") {
		return "", false
	}
	value := strings.ReplaceAll(raw[1:len(raw)-1], escapedQuote, "\n") // which cannot be in a line
	return strings.ReplaceAll(value, "\n", "'"), !strings.Contains(value, "'")
}
