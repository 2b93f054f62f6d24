package runtime

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
)

// Flags of infrarun itself, which no parameter may take.
var (
	reservedFlags  = []string{"dry-run", "site", "policy", "yes", "output", "color", "state-dir", "verbose", "quiet", "help"}
	reservedShorts = []string{"y", "v", "q", "h"}
)

// readParams reads the PARAMS of a recipe, in the order of its source. Dir is what a relative path is
// relative to.
func readParams(globals starlark.StringDict, dir string) ([]*ParamSpec, error) {
	declared, ok := globals["PARAMS"]
	if !ok {
		return nil, nil
	}
	d, ok := declared.(*starlark.Dict)
	if !ok {
		return nil, fmt.Errorf("PARAMS is %s, want a dict from name to param.…()", declared.Type())
	}
	var params []*ParamSpec
	for k, v := range starlark.Entries(d) {
		name, _ := starlark.AsString(k)
		spec, ok := v.(*ParamSpec)
		if !ok {
			return nil, fmt.Errorf("PARAMS[%s] is %s, want param.string, param.choice or another param", k, v.Type())
		}
		named := *spec
		named.Name = name
		if err := named.validate(dir); err != nil {
			return nil, fmt.Errorf("PARAMS[%s]: %w", k, err)
		}
		params = append(params, &named)
	}
	if err := checkShorthands(params); err != nil {
		return nil, err
	}
	return params, checkFlags(params)
}

var (
	paramName  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	paramShort = regexp.MustCompile(`^[A-Za-z]?$`)
)

// validate checks a declaration by itself.
func (p *ParamSpec) validate(dir string) error {
	switch {
	case !paramName.MatchString(p.Name):
		return errors.New("a name has small letters, digits and _")
	case p.Env() == markerName:
		return fmt.Errorf("infrarun sets %s itself; choose another name", markerName)
	case !paramShort.MatchString(p.Short):
		return fmt.Errorf("short is one letter, not %q", p.Short)
	case p.Pattern != nil && !slices.Contains([]ParamKind{StringParam, PathParam, ListParam, SecretParam}, p.Kind):
		return fmt.Errorf("pattern is for texts, not for param.%s", p.Kind)
	case p.Default != nil && p.Kind == SecretParam:
		return errors.New("a secret has no default: everybody can read the recipe")
	}
	if p.Default == nil {
		return nil
	}
	v, err := p.Check(p.Default, dir)
	if err != nil {
		return fmt.Errorf("default: %w", err)
	}
	p.Default = v
	return nil
}

// checkFlags refuses two parameters that want the same flag, or one of infrarun's own.
func checkFlags(params []*ParamSpec) error {
	taken := map[string]string{}
	for _, flag := range reservedFlags {
		taken["--"+flag] = "is a flag of infrarun itself"
	}
	for _, short := range reservedShorts {
		taken["-"+short] = "is a flag of infrarun itself"
	}
	for _, p := range params {
		flags := []string{"--" + p.Flag()}
		if p.Kind == BoolParam {
			flags = append(flags, "--no-"+p.Flag())
		}
		if p.Short != "" {
			flags = append(flags, "-"+p.Short)
		}
		for _, flag := range flags {
			if why := taken[flag]; why != "" {
				return fmt.Errorf("PARAMS[%q]: %s %s; choose another name", p.Name, flag, why)
			}
			taken[flag] = fmt.Sprintf("belongs to PARAMS[%q]", p.Name)
		}
	}
	return nil
}

// checkShorthands refuses a shorthand for what is not there or cannot have that value.
func checkShorthands(params []*ParamSpec) error {
	byName := map[string]*ParamSpec{}
	var names []string
	for _, p := range params {
		if p.Kind != ShorthandParam && p.Kind != SecretParam {
			byName[p.Name] = p
			names = append(names, p.Name)
		}
	}
	for _, p := range params {
		if p.Kind != ShorthandParam {
			continue
		}
		of := byName[p.Of]
		if of == nil {
			return fmt.Errorf("PARAMS[%q]: there is no param %q to be short for%s", p.Name, p.Of, diag.DidYouMean(p.Of, names))
		}
		if _, err := of.Parse(p.To, "/"); err != nil {
			return fmt.Errorf("PARAMS[%q]: %w", p.Name, err)
		}
	}
	return nil
}
