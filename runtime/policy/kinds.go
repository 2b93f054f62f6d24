package policy

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Matcher says how the targets of a kind are compared with patterns.
type Matcher interface {
	// Compile prepares a list of patterns. Its error names the pattern and says what is wrong with it.
	Compile(patterns []string) (Patterns, error)
}

// Patterns is a compiled list of patterns. It is safe for concurrent use.
type Patterns interface {
	// Covers reports whether everything that target stands for is inside of the patterns. If it is not and
	// target does not make plain why (it is malformed, or a link leads elsewhere), why says so.
	Covers(target string) (ok bool, why string)
	// Touches reports whether anything that target stands for is inside of the patterns; so it is for a target
	// that cannot be understood. With tree, what lies below target belongs to it.
	Touches(target string, tree bool) (hit bool, why string)
}

// entries are Patterns that tell the name of something from what it leads to. See [Need.Entry].
type entries interface {
	coversEntry(target string) (ok bool, why string)
	touchesEntry(target string, tree bool) (hit bool, why string)
}

// covers reports whether a need is inside of patterns.
func covers(p Patterns, n Need) (ok bool, why string) {
	if e, has := p.(entries); has && n.Entry {
		return e.coversEntry(n.Target)
	}
	return p.Covers(n.Target)
}

// touches reports whether anything of a need is inside of patterns.
func touches(p Patterns, n Need, tree bool) (hit bool, why string) {
	if e, has := p.(entries); has && n.Entry {
		return e.touchesEntry(n.Target, tree)
	}
	return p.Touches(n.Target, tree)
}

// ImpliedBy returns m for a kind that each of the others implies: what is declared for fs.write may be read
// too. In the table of kinds:
//
//	"fs.read":  policy.ImpliedBy(policy.Paths{}, "fs.write"),
//	"fs.write": policy.Paths{},
//
// The patterns of the others are added to those of the kind, so they must be patterns that m understands. It
// goes one level deep.
func ImpliedBy(m Matcher, others ...string) Matcher { return implied{m, others} }

type implied struct {
	Matcher
	by []string
}

// patternList is the patterns of one kind, as written and compiled.
type patternList struct {
	patterns []string
	compiled Patterns
}

// patternLists has a list for each kind that was given one.
type patternLists map[string]patternList

// compileLists compiles the patterns of every kind and returns all errors at once. With implications, a kind gets
// the patterns of the kinds that imply it.
func compileLists(kinds map[string]Matcher, lists map[string][]string, implications bool) (patternLists, error) {
	compiled := patternLists{}
	var errs []error
	for _, kind := range slices.Sorted(maps.Keys(lists)) {
		matcher, known := kinds[kind]
		if !known {
			errs = append(errs, unknownKind(kind, kinds))
			continue
		}
		patterns := slices.Clone(lists[kind])
		if m, ok := matcher.(implied); ok && implications {
			for _, other := range m.by {
				patterns = append(patterns, lists[other]...)
			}
		}
		c, err := matcher.Compile(patterns)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", kind, err))
			continue
		}
		compiled[kind] = patternList{patterns, c}
	}
	return compiled, errors.Join(errs...)
}

func unknownKind(kind string, kinds map[string]Matcher) error {
	return fmt.Errorf("there is no kind %q; the kinds are %s", kind, strings.Join(slices.Sorted(maps.Keys(kinds)), ", "))
}
