package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// addHint is what to do about a need that is just not declared.
const addHint = "add it there if the recipe needs it"

// Set is what a recipe declared. It is immutable and safe for concurrent use; nil declares nothing.
type Set struct {
	kinds map[string]Matcher
	lists patternLists
}

// Parse reads what a recipe declared: for each kind its patterns, in which {name} stands for a value of vars.
//
// A value is taken literally: one that has a character with a meaning in patterns, a ".." component or a control
// character is refused, and so is an empty one, and one that makes a pattern for the whole file system of one
// that was not. Errors name kind and pattern; all are returned at once.
func Parse(kinds map[string]Matcher, declared map[string][]string, vars map[string]string) (*Set, error) {
	full := make(map[string][]string, len(declared))
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(declared)) {
		full[kind] = []string{} // also without patterns: the kind may be implied
		for _, pattern := range declared[kind] {
			text, err := substitute(pattern, vars)
			if err != nil {
				errs = append(errs, fmt.Errorf("%s: %w", kind, err))
				continue
			}
			full[kind] = append(full[kind], text)
		}
	}
	// A kind that is declared only by way of another must have an entry to be looked up.
	for kind, matcher := range kinds {
		m, ok := matcher.(implied)
		if _, has := full[kind]; ok && !has && slices.ContainsFunc(m.by, func(by string) bool { return len(full[by]) > 0 }) {
			full[kind] = nil
		}
	}
	lists, err := compileLists(kinds, full, true)
	if err := errors.Join(append(errs, err)...); err != nil {
		return nil, err
	}
	return &Set{kinds: maps.Clone(kinds), lists: lists}, nil
}

// Allows reports whether the recipe declared what n needs.
func (s *Set) Allows(n Need) bool { return s.check(n) == nil }

// Patterns returns what was declared for kind, with the values filled in, and what other kinds add to it.
func (s *Set) Patterns(kind string) []string {
	if s == nil {
		return nil
	}
	return slices.Clone(s.lists[kind].patterns)
}

func (s *Set) check(n Need) *Denied {
	denied := &Denied{Need: n, By: Recipe, Declared: s.Patterns(n.Kind), Hint: addHint}
	if s == nil {
		return denied
	}
	if _, known := s.kinds[n.Kind]; !known {
		denied.Hint = unknownKind(n.Kind, s.kinds).Error()
		return denied
	}
	list, ok := s.lists[n.Kind]
	if !ok {
		return denied
	}
	covered, why := covers(list.compiled, n)
	if covered {
		return nil
	}
	if why != "" {
		denied.Hint = why
	}
	return denied
}
