package docker

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// Of a Dockerfile only the images that it begins from are read here; the rest is the engine's business. One that cannot be
// read is an error: the engine would bring it, and nobody would have been asked whether its registry may be reached.

var (
	fromPattern   = regexp.MustCompile(`(?i)^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$`)
	isFromPattern = regexp.MustCompile(`(?i)^\s*FROM\s`)
	argPattern    = regexp.MustCompile(`(?i)^\s*ARG\s+(.+)$`)
	copyPattern   = regexp.MustCompile(`(?i)^\s*(?:COPY|ADD)\s+(?:--\S+\s+)*?--from=(\S+)`)
	escapePattern = regexp.MustCompile("(?i)^\\s*#\\s*escape\\s*=\\s*([\\\\`])\\s*$")
	directive     = regexp.MustCompile(`^\s*#\s*\w+\s*=`)
	numberPattern = regexp.MustCompile(`^[0-9]+$`)
)

// bases returns the names of the images that a Dockerfile begins from, or copies from, with its arguments put in.
func bases(dockerfile string, args map[string]string) ([]string, error) {
	values := map[string]string{}
	stages := map[string]bool{"scratch": true}
	found := map[string]bool{}
	inStage := false
	add := func(line, name string) error {
		if stages[strings.ToLower(name)] {
			return nil
		}
		ref, err := imageref.Parse(name)
		if err != nil {
			return fmt.Errorf("%s: %w", strings.TrimSpace(line), err)
		}
		found[ref.Name] = true
		return nil
	}
	for _, line := range instructions(dockerfile) {
		var err error
		switch {
		case fromPattern.MatchString(line):
			m := fromPattern.FindStringSubmatch(line)
			var name string
			if name, err = expand(strings.Trim(m[1], `"'`), values); err == nil {
				err = add(line, name)
			}
			inStage = true
			if m[2] != "" {
				stages[strings.ToLower(m[2])] = true
			}
		case isFromPattern.MatchString(line):
			err = fmt.Errorf("%s: that is not FROM IMAGE, or FROM IMAGE AS NAME", strings.TrimSpace(line))
		case copyPattern.MatchString(line):
			if from := copyPattern.FindStringSubmatch(line)[1]; !numberPattern.MatchString(from) {
				err = add(line, from)
			}
		case argPattern.MatchString(line) && !inStage:
			err = declare(argPattern.FindStringSubmatch(line)[1], values, args)
		}
		if err != nil {
			return nil, err
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// declare reads what follows ARG: NAME, NAME=value, or several of them. A value may have arguments in it that were declared
// before.
func declare(text string, values, given map[string]string) error {
	for _, word := range words(text) {
		name, value, set := strings.Cut(word, "=")
		value, err := expand(value, values)
		if err != nil {
			return err
		}
		if over, ok := given[name]; ok {
			value, set = over, true
		}
		if set {
			values[name] = value
		}
	}
	return nil
}

// words splits a text at spaces that are not in quotes, and takes the quotes away.
func words(text string) []string {
	var all []string
	var word strings.Builder
	quote, inWord := rune(0), false
	for _, c := range text {
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote, inWord = c, true
		case quote == 0 && (c == ' ' || c == '\t'):
			if inWord {
				all = append(all, word.String())
			}
			word.Reset()
			inWord = false
		default:
			word.WriteRune(c)
			inWord = true
		}
	}
	if inWord {
		all = append(all, word.String())
	}
	return all
}

// varPattern is $NAME, ${NAME}, ${NAME:-word} or ${NAME:+word}, where word has no variable in it.
var varPattern = regexp.MustCompile(`\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+])([^{}$]*))?\})`)

// expand puts variables into a text. One that is not set is empty.
func expand(text string, values map[string]string) (string, error) {
	var out strings.Builder
	rest := text
	for {
		at := varPattern.FindStringSubmatchIndex(rest)
		before := rest
		if at != nil {
			before = rest[:at[0]]
		}
		if strings.Contains(before, "$") {
			return "", fmt.Errorf("%q: only $NAME, ${NAME}, ${NAME:-WORD} and ${NAME:+WORD} are understood in the name of a base image", text)
		}
		out.WriteString(before)
		if at == nil {
			return out.String(), nil
		}
		m := varPattern.FindStringSubmatch(rest)
		out.WriteString(valueOf(values, m[1]+m[2], m[3], m[4]))
		rest = rest[at[1]:]
	}
}

// valueOf is the value of a variable, or what a modifier such as ":-" makes of it.
func valueOf(values map[string]string, name, modifier, word string) string {
	value, set := values[name]
	if strings.HasPrefix(modifier, ":") {
		set = value != ""
	}
	switch {
	case strings.HasSuffix(modifier, "-") && !set:
		return word
	case strings.HasSuffix(modifier, "+") && set:
		return word
	case strings.HasSuffix(modifier, "+"):
		return ""
	}
	return value
}

// instructions splits a Dockerfile into its instructions: lines that end in a backslash, or what a directive at its top
// names instead, go on in the next one that is neither empty nor a comment.
func instructions(dockerfile string) []string {
	var all []string
	var current strings.Builder
	escape, top := `\`, true
	for line := range strings.Lines(strings.TrimPrefix(dockerfile, "\ufeff")) {
		line = strings.TrimRight(line, "\r\n")
		if m := escapePattern.FindStringSubmatch(line); m != nil && top {
			escape = m[1]
		}
		top = top && directive.MatchString(line)
		text := strings.TrimSpace(line)
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if part, more := strings.CutSuffix(strings.TrimRight(line, " \t"), escape); more {
			current.WriteString(part + " ")
			continue
		}
		all = append(all, current.String()+line)
		current.Reset()
	}
	if current.Len() > 0 {
		all = append(all, current.String())
	}
	return all
}
