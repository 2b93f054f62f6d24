package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Names compares names of things that are neither paths nor hosts: units, containers, secrets ("env:TOKEN").
// * ? and [...] stand for characters other than a slash, ** for any number of whole components between slashes,
// and * alone for every name. Case counts. A name with an empty, "." or ".." component is refused, since it may
// be another spelling of one that is compared.
type Names struct{}

type namePatterns []glob

// Compile reads patterns.
func (Names) Compile(patterns []string) (Patterns, error) {
	list := make(namePatterns, 0, len(patterns))
	for _, text := range patterns {
		g, err := parseName(text)
		if err != nil {
			return nil, fmt.Errorf("pattern %q: %w", text, err)
		}
		list = append(list, g)
	}
	return list, nil
}

func parseName(text string) (glob, error) {
	if text == "*" {
		text = anyDepth
	}
	if err := checkName(text); err != nil {
		return nil, err
	}
	return compileGlob(strings.Split(text, "/"))
}

func checkName(name string) error {
	if err := plainText(name); err != nil {
		return err
	}
	for _, component := range strings.Split(name, "/") {
		if slices.Contains([]string{"", ".", ".."}, component) {
			return fmt.Errorf("a component of the name is %q", component)
		}
	}
	return nil
}

// Covers implements [Patterns].
func (list namePatterns) Covers(target string) (bool, string) {
	if err := checkName(target); err != nil {
		return false, err.Error()
	}
	return list.match(target), ""
}

// Touches implements [Patterns]. Nothing lies below a name.
func (list namePatterns) Touches(target string, _ bool) (bool, string) {
	if err := checkName(target); err != nil {
		return len(list) > 0, err.Error()
	}
	return list.match(target), ""
}

func (list namePatterns) match(target string) bool {
	components := strings.Split(target, "/")
	return slices.ContainsFunc(list, func(g glob) bool { return g.match(components) })
}
