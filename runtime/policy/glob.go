package policy

import (
	"fmt"
	"path"
	"strings"
)

// A glob is a pattern of components between slashes: * ? and [a-z] ([^a-z] or [!a-z] for all others) stay within
// a component, ** stands for any number of whole ones. There is no escape character and there are no {a,b}
// alternatives.
type glob []string

const anyDepth = "**"

func hasGlob(s string) bool { return strings.ContainsAny(s, "*?[") }

// compileGlob reads the components of a pattern.
func compileGlob(components []string) (glob, error) {
	g := make(glob, 0, len(components))
	for _, c := range components {
		switch {
		case strings.ContainsAny(c, `{}\`):
			return nil, fmt.Errorf(`%q has one of { } \, which mean nothing here`, c)
		case c == "." || c == "..":
			return nil, fmt.Errorf("write it without the component %q", c)
		case c != anyDepth && strings.Contains(c, anyDepth):
			return nil, fmt.Errorf("in %q: ** stands for whole components, so nothing may be beside it", c)
		}
		if err := checkClasses(c); err != nil {
			return nil, err
		}
		c = strings.ReplaceAll(c, "[!", "[^")
		if c == anyDepth && len(g) > 0 && g[len(g)-1] == anyDepth {
			continue
		}
		g = append(g, c)
	}
	return g, nil
}

// checkClasses refuses a [...] that is not complete or could be read in two ways.
func checkClasses(component string) error {
	if _, err := path.Match(component, ""); err != nil {
		return fmt.Errorf("in %q: the [...] is not complete", component)
	}
	for _, after := range strings.Split(component, "[")[1:] {
		if !strings.Contains(after, "]") {
			return fmt.Errorf("in %q: a [ inside of [...] is not understood", component)
		}
	}
	return nil
}

// match reports whether the whole of target matches. It goes back to the last ** only, which is enough, so that
// no pattern takes long.
func (g glob) match(target []string) bool {
	i, star, retry := 0, -1, 0
	for t := 0; t < len(target); {
		switch {
		case i < len(g) && g[i] == anyDepth:
			star, retry = i, t
			i++
		case i < len(g) && matchOne(g[i], target[t]):
			i++
			t++
		case star >= 0:
			retry++
			i, t = star+1, retry
		default:
			return false
		}
	}
	for i < len(g) && g[i] == anyDepth {
		i++
	}
	return i == len(g)
}

// matchBelow reports whether something below target could match.
func (g glob) matchBelow(target []string) bool {
	for i, c := range target {
		if i == len(g) {
			return false
		}
		if g[i] == anyDepth {
			return true
		}
		if !matchOne(g[i], c) {
			return false
		}
	}
	return len(g) > len(target)
}

// matchOne compares one component. compileGlob has tried the pattern, so there is no error.
func matchOne(pattern, component string) bool {
	ok, err := path.Match(pattern, component)
	return ok && err == nil
}
