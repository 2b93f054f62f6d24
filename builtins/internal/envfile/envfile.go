// Package envfile is the form of environment files: written here, and read here, by the start scripts of services and by any
// POSIX shell (`. file`) with the same result.
//
//	file    = { [ line ] "\n" }
//	line    = "#" anything | key "=" value
//	key     = letter or "_", then letters, digits, "_"
//	value   = bare | quoted
//	bare    = characters that mean nothing to a shell: letters, digits and _ . / : @ % + , = -
//	quoted  = "'" anything but "'" and "\n" "'", repeated with \' in between: 'it'\''s'
//
// There are no spaces around "=" and none at the end, no double quotes, no $NAME, no export, no value of several lines:
// each of these is read differently by some reader of such files, so it is refused. Errors never show a value, which may
// be a secret.
package envfile

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	keyPattern  = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	barePattern = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]*$`)
)

// escapedQuote is how a quote is written in a quoted value: the value ends, a quote, the value goes on.
const escapedQuote = `'\''`

// Variable is one of a file.
type Variable struct{ Name, Value string }

// IsName reports whether a variable can have that name.
func IsName(name string) bool { return keyPattern.MatchString(name) }

// Line writes a variable, with the line's end. It refuses a name that is none, and a value with a line break or a NUL.
func Line(v Variable) (string, error) {
	value := v.Value
	switch {
	case !IsName(v.Name):
		return "", fmt.Errorf("%q is no name of a variable: it must be letters, digits and _, not begin with a digit", v.Name)
	case strings.Contains(value, "\n"):
		return "", fmt.Errorf("the value of %s has a line break, which environment files cannot hold; encode it, such as with text.base64_encode", v.Name)
	case strings.Contains(value, "\x00"):
		return "", fmt.Errorf("the value of %s has a NUL byte, which no environment variable can hold", v.Name)
	case !barePattern.MatchString(value):
		value = "'" + strings.ReplaceAll(value, "'", escapedQuote) + "'"
	}
	return v.Name + "=" + value + "\n", nil
}

// Parse reads a file. A variable that comes twice is an error. Errors begin with the line.
func Parse(text string) ([]Variable, error) {
	var vars []Variable
	seen := map[string]bool{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, raw, found := strings.Cut(line, "=")
		if !found || !IsName(name) {
			return nil, fmt.Errorf("line %d is not KEY=value, with a name of letters, digits and _ and no spaces around =", n)
		}
		value, ok := unquote(raw)
		if !ok {
			return nil, fmt.Errorf("line %d: the value of %s must be bare, of letters, digits and _./:@%%+,=- only, or in single quotes with '\\'' for a quote", n, name)
		}
		if seen[name] {
			return nil, fmt.Errorf("line %d: %s comes twice", n, name)
		}
		seen[name] = true
		vars = append(vars, Variable{name, value})
	}
	return vars, nil
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
