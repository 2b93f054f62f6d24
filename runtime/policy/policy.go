// Package policy decides what a run may reach: what its recipe declared, and what the operator allows at most.
//
// Everything that a builtin reaches is a [Need]: a kind ("fs.write", "net", "exec") and a target of that kind (a
// path, a host and port, a command). A recipe declares patterns for each kind ([Parse]). An operator may set a
// bound with lists of what is allowed and of what is denied ([NewPolicy]). A [Guard] joins both and says yes, or
// no with a [Denied] that names who refused and what to do.
//
// How targets of a kind are compared with patterns is said by its [Matcher]: [Paths], [Commands], [Hosts] or
// [Names]. Two rules hold for all of them. What is not understood is refused: a malformed target is neither
// allowed nor free of a denial. And the two lists lean to the safe side: allowing is narrow (a target must be
// covered under every name it has), denying is wide (it is enough that one of its names is hit).
//
// The package knows nothing of Starlark, of recipes, or of what builtins do. It decides on the state of the
// machine at the moment of the question; whoever then opens a file must do so in a way that follows no link that
// appeared in between.
package policy

import (
	"errors"
	"fmt"
	"maps"
)

// Policy is an operator's upper bound on what recipes reach. It is immutable and safe for concurrent use.
type Policy struct {
	name  string
	kinds map[string]Matcher
	allow patternLists
	deny  patternLists
}

// NewPolicy reads an upper bound. name is where it was written, as errors show it. allow and deny have the
// patterns of each kind. A kind that allow does not have is not limited by it; one that it has with an empty list
// is allowed nothing. deny wins over allow.
//
// Where one kind implies another (see [ImpliedBy]), what allow has for the one counts for the other as well, if
// allow limits the other at all. A denial never spreads to another kind. Errors name the kind and the pattern.
func NewPolicy(name string, kinds map[string]Matcher, allow, deny map[string][]string) (*Policy, error) {
	p := &Policy{name: name, kinds: maps.Clone(kinds)}
	var err, denyErr error
	p.allow, err = compileLists(kinds, allow, true)
	p.deny, denyErr = compileLists(kinds, deny, false)
	if err != nil {
		err = fmt.Errorf("allow: %w", err)
	}
	if denyErr != nil {
		denyErr = fmt.Errorf("deny: %w", denyErr)
	}
	if err := errors.Join(err, denyErr); err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	return p, nil
}

// check returns nil if the policy lets n pass. With tree, what lies below the target counts as reached as well.
func (p *Policy) check(n Need, tree bool) *Denied {
	denied := &Denied{Need: n, By: "policy " + p.name}
	if _, known := p.kinds[n.Kind]; !known {
		denied.Hint = unknownKind(n.Kind, p.kinds).Error()
		return denied
	}
	if list, ok := p.deny[n.Kind]; ok {
		if hit, why := touches(list.compiled, n, tree); hit {
			denied.Declared, denied.Hint = list.patterns, why
			return denied
		}
	}
	if list, ok := p.allow[n.Kind]; ok {
		if covered, why := covers(list.compiled, n); !covered {
			denied.Declared, denied.Hint = list.patterns, why
			return denied
		}
	}
	return nil
}
