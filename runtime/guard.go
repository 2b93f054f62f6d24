package runtime

import (
	"errors"

	"github.com/infrarun/infrarun/runtime/policy"
)

// need fails unless everything is declared by the recipe and allowed by the policy.
func (r *Run) need(needs []policy.Need) error {
	for _, n := range needs {
		if err := r.guard.Check(n); err != nil {
			return err
		}
	}
	return nil
}

// needAll is need for a change, which may reach all that lies below its targets.
func (r *Run) needAll(d Description) error {
	if !d.Tree {
		return r.need(d.Needs)
	}
	for _, n := range d.Needs {
		if err := r.guard.CheckTree(n); err != nil {
			return err
		}
	}
	return nil
}

func isDenied(err error) bool {
	var denied *policy.Denied
	return errors.As(err, &denied)
}

// newGuard joins what the recipe declared with the operator's policies, of which some may be nil.
func newGuard(declared *policy.Set, bounds ...*policy.Policy) *policy.Guard {
	var there []*policy.Policy
	for _, b := range bounds {
		if b != nil {
			there = append(there, b)
		}
	}
	return policy.NewGuard(declared, there...)
}
