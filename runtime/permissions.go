package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/policy"
)

// readPermissions reads PERMISSIONS, or ALLOW or DENY of a policy: a dict from kind to a list of
// patterns. It returns nil for nil.
func (r *registry) readPermissions(name string, v starlark.Value) (map[string][]string, error) {
	if v == nil {
		return nil, nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("%s is %s, want a dict from kind to a list of patterns", name, v.Type())
	}
	out := map[string][]string{}
	for k, e := range starlark.Entries(d) {
		kind, _ := starlark.AsString(k)
		if _, ok := r.permissions[kind]; !ok {
			kinds := slices.Sorted(maps.Keys(r.permissions))
			return nil, fmt.Errorf("%s: there is no kind %s%s; there are %s",
				name, k, diag.DidYouMean(kind, kinds), strings.Join(kinds, ", "))
		}
		var patterns Strings
		if err := patterns.Unpack(e); err != nil {
			return nil, fmt.Errorf("%s[%s]: %w", name, k, err)
		}
		out[kind] = patterns
	}
	return out, nil
}

// computePermissions calls PERMISSIONS where it is a function of ctx. Like loading, that is pure.
func (r *Recipe) computePermissions(ctx context.Context, values Values) error {
	fn, ok := r.declared.(starlark.Callable)
	if !ok {
		return nil
	}
	v, err := r.declaration(ctx, "PERMISSIONS", fn, values)
	if err != nil {
		return err
	}
	if r.permissions, err = r.host.reg.readPermissions("PERMISSIONS", v); err != nil {
		return fmt.Errorf("%s: %w", r.Name, err)
	}
	return nil
}

// declaration calls a function of ctx by which a recipe declares something of itself.
func (r *Recipe) declaration(ctx context.Context, name string, fn starlark.Callable, values Values) (starlark.Value, error) {
	ctx, done := bounded(ctx)
	defer done()
	th, stop := newThread(&task{ctx: ctx}, name)
	defer stop()
	return call(th, fn, starlark.Tuple{r.contextValue(values, r.host.dir, "", "")}, nil)
}

// DefaultPolicy is the operator's policy where no other is named. It need not exist.
const DefaultPolicy = "/etc/infrarun/policy.star"

// loadPolicy reads the operator's policy: a module with ALLOW and DENY, dicts like PERMISSIONS.
func (r *Recipe) loadPolicy(ctx context.Context, name string) error {
	if name == "" {
		if _, err := os.Stat(DefaultPolicy); errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		name = DefaultPolicy
	}
	root, err := diskRoot(policyKey, filepath.Dir(name))
	if err != nil {
		return fmt.Errorf("policy %s: %w", name, err)
	}
	r.policySources = newSources(root, r.host.stdlibRoot())
	r.policyModule = moduleID{policyKey, filepath.Base(name)}
	r.policy, err = r.host.readPolicy(ctx, r.policySources, r.policyModule)
	return err
}

// readPolicy loads a policy's module.
func (h *Host) readPolicy(ctx context.Context, s *sources, id moduleID) (*policy.Policy, error) {
	globals, err := newLoader(h.reg, s).load(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	name := s.shown(id)
	allow, err := h.reg.readPermissions("ALLOW", globals["ALLOW"])
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	deny, err := h.reg.readPermissions("DENY", globals["DENY"])
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	if allow == nil && deny == nil {
		return nil, fmt.Errorf("policy %s: it has neither ALLOW nor DENY, so it would bound nothing", name)
	}
	return policy.NewPolicy(name, h.reg.permissions, allow, deny)
}
