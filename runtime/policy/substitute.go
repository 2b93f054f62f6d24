package policy

import (
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"unicode"
)

// substitute puts the values of vars in the place of each {name} in pattern.
func substitute(pattern string, vars map[string]string) (string, error) {
	var b strings.Builder
	rest := pattern
	for {
		before, after, open := strings.Cut(rest, "{")
		if strings.Contains(before, "}") {
			return "", fmt.Errorf("pattern %q: } without {", pattern)
		}
		b.WriteString(before)
		if !open {
			break
		}
		name, tail, closed := strings.Cut(after, "}")
		if !closed || strings.Contains(name, "{") {
			return "", fmt.Errorf("pattern %q: { without }", pattern)
		}
		value, err := lookup(name, vars)
		if err != nil {
			return "", fmt.Errorf("pattern %q: %w", pattern, err)
		}
		b.WriteString(value)
		rest = tail
	}
	full := b.String()
	if full != pattern && reachesAll(full) {
		return "", fmt.Errorf("pattern %q: with the values filled in it is %q, which is the whole file system; give a directory below it", pattern, full)
	}
	return full, nil
}

// reachesAll reports whether pattern is the root directory or has a glob right below it.
func reachesAll(pattern string) bool {
	if !strings.HasPrefix(pattern, "/") {
		return false
	}
	clean := path.Clean(pattern)
	first, _, _ := strings.Cut(clean[1:], "/")
	return first == "" || hasGlob(first)
}

// lookup returns the value of a name, which must be safe to put into a pattern.
func lookup(name string, vars map[string]string) (string, error) {
	value, ok := vars[name]
	switch {
	case !ok && len(vars) == 0:
		return "", fmt.Errorf("there is no value {%s}; none are known here", name)
	case !ok:
		return "", fmt.Errorf("there is no value {%s}; known are {%s}", name, strings.Join(slices.Sorted(maps.Keys(vars)), "}, {"))
	case value == "":
		return "", fmt.Errorf("the value of {%s} is empty; give it one", name)
	case strings.ContainsAny(value, `*?[]{}\`):
		return "", fmt.Errorf("the value of {%s} is %q, and * ? [ ] { } \\ have a meaning in patterns; use a value without them", name, value)
	case hasDotDot(value):
		return "", fmt.Errorf("the value of {%s} is %q, and a path with .. in it is refused here", name, value)
	}
	if err := plainText(value); err != nil {
		return "", fmt.Errorf("the value of {%s}: %w", name, err)
	}
	return value, nil
}

func hasDotDot(p string) bool { return slices.Contains(strings.Split(p, "/"), "..") }

// plainText refuses what no name of anything has a good reason to contain and what would make a message show
// something else than what was compared.
func plainText(s string) error {
	if s == "" {
		return errors.New("it is empty")
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return fmt.Errorf("%q has a control character", s)
		}
	}
	return nil
}
