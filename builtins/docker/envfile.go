package docker

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	variablePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	barePattern     = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]*$`)
)

// escapedQuote is how a quote is written in a quoted value.
const escapedQuote = `'\''`

// parseEnv reads an environment file as text.dotenv writes it, whose grammar is described there. What other readers of
// such files, such as docker itself and shells, read in different ways is refused. Errors do not show values.
func parseEnv(text string) (map[string]string, error) {
	vars := map[string]string{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		name, raw, found := strings.Cut(line, "=")
		if !found || !variablePattern.MatchString(name) {
			return nil, fmt.Errorf("line %d is not KEY=value, with a name of letters, digits and _ and no spaces around =", n)
		}
		value, ok := unquote(raw)
		if !ok {
			return nil, fmt.Errorf("line %d: the value of %s must be bare, of letters, digits and _./:@%%+,=- only, "+
				"or in single quotes with '\\'' for a quote, as text.dotenv writes it", n, name)
		}
		if _, twice := vars[name]; twice {
			return nil, fmt.Errorf("line %d: %s comes twice", n, name)
		}
		vars[name] = value
	}
	return vars, nil
}

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
