package runtime

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Recipe is a loaded recipe. Nothing of it has been executed but its pure top level.
type Recipe struct {
	Name   string // as shown: recipes/deploy.star
	Source string // "disk" or "embedded"
	Doc    string
	Params []*ParamSpec
	Site   string // the site file, as given; "" for none

	host        *Host
	loader      *loader
	id          moduleID
	main        starlark.Callable
	declared    starlark.Value // PERMISSIONS: a dict, or a function that makes one
	permissions map[string][]string
	looks       bool
	looksWhen   starlark.Callable // LOOKS, if it is a function
	site        starlark.StringDict

	policy        *policy.Policy // nil: none
	policySources *sources
	policyModule  moduleID
}

// Load loads a recipe by the name that an operator gave, with the site file if one is named and the
// operator's policy if there is one. It reads modules and touches nothing else. With an error it may
// return a recipe that is good for [Recipe.Diagnose] and nothing else.
func (h *Host) Load(ctx context.Context, name, site, policyFile string) (*Recipe, error) {
	root, id, err := h.locate(name)
	if err != nil {
		return nil, err
	}
	roots := []*sourceRoot{root, h.stdlibRoot()}
	var siteID moduleID
	if site != "" {
		siteRoot, id, err := h.locateSite(site)
		if err != nil {
			return nil, err
		}
		roots, siteID = append(roots, siteRoot), id
	}
	ctx, done := bounded(ctx)
	defer done()
	l := newLoader(h.reg, newSources(roots...))
	r := &Recipe{host: h, loader: l, id: id, Name: root.shown + id.path, Source: root.kind, Site: site}
	if err := r.read(ctx); err != nil {
		return r, err
	}
	if site != "" {
		if r.site, err = l.load(ctx, siteID); err != nil {
			return r, err
		}
	}
	return r, r.loadPolicy(ctx, policyFile)
}

// read executes the recipe's module and reads what it declares.
func (r *Recipe) read(ctx context.Context) error {
	globals, err := r.loader.load(ctx, r.id)
	if err != nil {
		return err
	}
	text, _ := r.loader.sources.text(r.Name)
	r.Doc = docOf(text)
	main, ok := globals["main"].(*starlark.Function)
	if !ok {
		return fmt.Errorf("%s: it has no function main(ctx), which a recipe begins with", r.Name)
	}
	if main.NumParams() != 1 || main.HasVarargs() || main.HasKwargs() {
		return fmt.Errorf("%s: main takes one parameter, ctx", main.Position())
	}
	r.main = main
	if r.Params, err = readParams(globals, r.host.dir); err != nil {
		return fmt.Errorf("%s: %w", r.Name, err)
	}
	if err := r.readLooks(globals["LOOKS"]); err != nil {
		return fmt.Errorf("%s: %w", r.Name, err)
	}
	r.declared = globals["PERMISSIONS"]
	if _, ok := r.declared.(starlark.Callable); ok {
		return nil // read when the parameters are known
	}
	if r.permissions, err = r.host.reg.readPermissions("PERMISSIONS", r.declared); err != nil {
		return fmt.Errorf("%s: %w", r.Name, err)
	}
	return nil
}

// Diagnose turns an error of loading or running the recipe into one with the source line and a hint.
// It can do without a recipe: an error from before one was found has no source.
func (r *Recipe) Diagnose(err error) *diag.Diagnostic {
	if r == nil || r.loader == nil {
		return diag.From(err, nil)
	}
	return diag.From(err, func(name string) (string, bool) {
		if text, ok := r.loader.sources.text(name); ok || r.policySources == nil {
			return text, ok
		}
		return r.policySources.text(name)
	}, diag.Known(r.host.reg.names))
}

func (r *Recipe) param(name string) *ParamSpec {
	for _, p := range r.Params {
		if p.Name == name {
			return p
		}
	}
	return nil
}

// contextValue is the ctx that main receives, and PERMISSIONS and LOOKS, for which there is no run yet. The family run
// documents it.
func (r *Recipe) contextValue(values Values, base, runID, cacheDir string) starlark.Value {
	params := starlark.StringDict{}
	for name, v := range values {
		params[name] = v.V
	}
	site := starlark.Value(starlark.None)
	if r.site != nil {
		site = starlarkstruct.FromStringDict(starlark.String("site"), r.site)
	}
	ctx := starlarkstruct.FromStringDict(starlark.String("ctx"), starlark.StringDict{
		"params":    starlarkstruct.FromStringDict(starlark.String("params"), params),
		"recipe":    starlark.String(r.Name),
		"cwd":       starlark.String(base),
		"run_id":    starlark.String(runID),
		"cache_dir": starlark.String(cacheDir),
		"site":      site,
	})
	ctx.Freeze()
	return ctx
}
