package runtime

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
)

// defaults are values that a file of the operator's gives: DEFAULTS of a site file or of a profile,
// which is env/<env>.star beside the recipe.
type defaults struct {
	from   string
	values map[string]starlark.Value
}

func defaultsOf(globals starlark.StringDict, from string) (*defaults, error) {
	d := &defaults{from: from, values: map[string]starlark.Value{}}
	v, ok := globals["DEFAULTS"]
	if !ok {
		return d, nil
	}
	dict, ok := v.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("%s: DEFAULTS is %s, want a dict from param to value", from, v.Type())
	}
	for k, e := range starlark.Entries(dict) {
		name, ok := starlark.AsString(k)
		if !ok {
			return nil, fmt.Errorf("%s: DEFAULTS has the key %s, want the name of a param", from, k)
		}
		d.values[name] = e
	}
	return d, nil
}

// value checks what the file gives for a parameter. A secret is named there as on the command line: the
// file may be shared.
func (d *defaults) value(p *ParamSpec, v starlark.Value, dir string, environ []string) (starlark.Value, error) {
	if p.Kind != SecretParam {
		return p.Check(v, dir)
	}
	ref, ok := starlark.AsString(v)
	if !ok {
		return nil, fmt.Errorf("got %s, want string", v.Type())
	}
	text, err := readSecret(ref, dir, environ)
	if err != nil {
		return nil, err
	}
	return p.Check(starlark.String(text), dir)
}

// profile loads env/<env>.star beside the recipe, if the recipe has a param env and there is one.
func (r *Recipe) profile(ctx context.Context, values Values) (*defaults, error) {
	none := &defaults{}
	env := ""
	if v, ok := values["env"]; ok {
		env = plain(v.V)
	}
	id := moduleID{r.id.root, path.Join(path.Dir(r.id.path), "env", env+".star")}
	if env == "" || strings.Contains(env, "/") || !fs.ValidPath(id.path) {
		return none, nil // not the name of a file in that directory
	}
	if _, err := fs.Stat(r.loader.sources.roots[id.root].fsys, id.path); errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	ctx, done := bounded(ctx)
	defer done()
	globals, err := r.loader.load(ctx, id)
	if err != nil {
		return nil, err
	}
	return defaultsOf(globals, r.loader.sources.shown(id))
}

// checkKnown refuses a default for a param that the recipe lacks: it is a misspelling.
func (r *Recipe) checkKnown(files ...*defaults) error {
	var names []string
	for _, p := range r.Params {
		if p.Kind != ShorthandParam {
			names = append(names, p.Name)
		}
	}
	for _, d := range files {
		for _, name := range slices.Sorted(maps.Keys(d.values)) {
			if !slices.Contains(names, name) {
				return fmt.Errorf("%s: DEFAULTS[%q]: %s has no such param%s; it has %s",
					d.from, name, r.Name, diag.DidYouMean(name, names), strings.Join(names, ", "))
			}
		}
	}
	return nil
}
