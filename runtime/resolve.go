package runtime

import (
	"context"
	"fmt"
	"strings"
)

// Resolve gives every parameter its value. Precedence: flag, environment, site file, env/<env>.star
// beside the recipe, declared default. The error is about the first parameter without a proper value, or
// all that are required and have none.
func (r *Recipe) Resolve(ctx context.Context, f *Flags, environ []string) (Values, error) {
	values := Values{}
	site, err := defaultsOf(r.site, r.Site)
	if err != nil {
		return nil, err
	}
	if p := r.param("env"); p != nil && p.Kind != ShorthandParam {
		if err := r.resolve(values, p, f, environ, site); err != nil {
			return nil, err
		}
	}
	profile, err := r.profile(ctx, values)
	if err != nil {
		return nil, err
	}
	if err := r.checkKnown(site, profile); err != nil {
		return nil, err
	}
	var missing []string
	for _, p := range r.Params {
		if p.Kind == ShorthandParam {
			continue
		}
		if _, done := values[p.Name]; !done {
			if err := r.resolve(values, p, f, environ, site, profile); err != nil {
				return nil, err
			}
		}
		if p.Required && values[p.Name].From == "" {
			missing = append(missing, "--"+p.Flag())
		}
	}
	if len(missing) > 0 {
		return nil, &missingError{r.Name, missing}
	}
	if err := r.computeLooks(ctx, values); err != nil {
		return nil, err
	}
	return values, r.computePermissions(ctx, values)
}

// resolve gives one parameter its value. The earlier of the files goes before the later.
func (r *Recipe) resolve(values Values, p *ParamSpec, f *Flags, environ []string, files ...*defaults) error {
	text, from, given, err := f.text(p, environ)
	if err != nil {
		return err
	}
	if given {
		v, err := p.Parse(text, r.host.dir)
		if err != nil {
			return fmt.Errorf("%s: %w", from, err)
		}
		values[p.Name] = Value{v, from}
		return nil
	}
	for _, d := range files {
		if v, ok := d.values[p.Name]; ok {
			v, err := d.value(p, v, r.host.dir, environ)
			if err != nil {
				return fmt.Errorf("%s: DEFAULTS[%q]: %w", d.from, p.Name, err)
			}
			values[p.Name] = Value{v, d.from}
			return nil
		}
	}
	if p.Default != nil {
		values[p.Name] = Value{p.Default, "default"}
	} else {
		values[p.Name] = Value{p.zero(), ""}
	}
	return nil
}

// missingError is required parameters without a value.
type missingError struct {
	recipe string
	flags  []string
}

func (e *missingError) Error() string {
	return fmt.Sprintf("%s needs a value for %s", e.recipe, strings.Join(e.flags, ", "))
}

// Hint says where to find out what they are.
func (e *missingError) Hint() string {
	return fmt.Sprintf("infrarun %s --help tells what they are", e.recipe)
}
