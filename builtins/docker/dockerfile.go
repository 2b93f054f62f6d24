package docker

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// Of a Dockerfile only the images that it begins from are read here; the rest is the engine's business.

var (
	fromPattern = regexp.MustCompile(`(?i)^\s*FROM\s+(?:--\S+\s+)*(\S+)(?:\s+AS\s+(\S+))?\s*$`)
	argPattern  = regexp.MustCompile(`(?i)^\s*ARG\s+(.+)$`)
	copyPattern = regexp.MustCompile(`(?i)^\s*(?:COPY|ADD)\s.*?--from=(\S+)`)
)

// bases returns the names of the images that a Dockerfile begins from, or copies from, with its arguments put in. One
// that cannot be read is left out: the engine will say what is wrong.
func bases(dockerfile string, args map[string]string) []string {
	values := map[string]string{}
	stages := map[string]bool{}
	found := map[string]bool{}
	inStage := false
	add := func(name string) {
		name = os.Expand(name, func(v string) string {
			v, fallback, _ := strings.Cut(v, ":-")
			if value, ok := values[v]; ok && value != "" {
				return value
			}
			return fallback
		})
		if name == "scratch" || stages[strings.ToLower(name)] || strings.Trim(name, "0123456789") == "" {
			return
		}
		if ref, err := imageref.Parse(name); err == nil {
			found[ref.Name] = true
		}
	}
	for _, line := range instructions(dockerfile) {
		switch {
		case fromPattern.MatchString(line):
			m := fromPattern.FindStringSubmatch(line)
			add(m[1])
			inStage = true
			if m[2] != "" {
				stages[strings.ToLower(m[2])] = true
			}
		case copyPattern.MatchString(line):
			add(copyPattern.FindStringSubmatch(line)[1])
		case argPattern.MatchString(line) && !inStage:
			name, value, _ := strings.Cut(strings.TrimSpace(argPattern.FindStringSubmatch(line)[1]), "=")
			values[name] = strings.Trim(value, `"'`)
			if given, ok := args[name]; ok {
				values[name] = given
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// instructions splits a Dockerfile into its instructions: lines that end in a backslash go on in the next one.
func instructions(dockerfile string) []string {
	var all []string
	var current strings.Builder
	for line := range strings.Lines(dockerfile) {
		line = strings.TrimRight(line, "\r\n")
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if part, more := strings.CutSuffix(strings.TrimRight(line, " \t"), `\`); more {
			current.WriteString(part + " ")
			continue
		}
		current.WriteString(line)
		if text := current.String(); strings.TrimSpace(text) != "" {
			all = append(all, text)
		}
		current.Reset()
	}
	if current.Len() > 0 {
		all = append(all, current.String())
	}
	return all
}
