package policy

// Guard lets pass what the recipe declared and every policy allows. It is safe for concurrent use.
type Guard struct {
	declared *Set
	policies []*Policy
}

// NewGuard returns a guard. With a nil set nothing passes; without policies the declaration alone decides.
func NewGuard(declared *Set, policies ...*Policy) *Guard {
	return &Guard{declared: declared, policies: policies}
}

// Check returns nil if n may be reached, and else a [*Denied]. The recipe's declaration is asked first: what it
// lacks is mostly a slip in the recipe. If a policy would refuse as well, the error says so, since then
// declaring it would not help.
func (g *Guard) Check(n Need) error { return g.check(n, false) }

// CheckTree is Check for a builtin that reaches the target and all that lies below it, such as one that removes a
// directory: it is refused as well if a policy denies anything below the target.
func (g *Guard) CheckTree(n Need) error { return g.check(n, true) }

func (g *Guard) check(n Need, tree bool) error {
	byRecipe := g.declared.check(n)
	for _, p := range g.policies {
		byPolicy := p.check(n, tree)
		switch {
		case byPolicy == nil:
		case byRecipe == nil:
			return byPolicy
		case byRecipe.Hint == addHint:
			byRecipe.Hint = "the " + byPolicy.By + " does not allow it either"
		}
	}
	if byRecipe != nil {
		return byRecipe
	}
	return nil
}
