package runtime

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	"go.starlark.net/starlark"
)

// Value is a parameter's value and where it is from.
type Value struct {
	V    starlark.Value
	From string // "--env", "INFRARUN_ENV", "sites/acme.star", "env/staging.star", "default"
}

// Values are the values of a recipe's parameters by name.
type Values map[string]Value

// flagValue collects what was given for one parameter on the command line.
type flagValue struct {
	spec   *ParamSpec
	given  []string
	by     []string // the flags that gave it
	flag   string   // this flag's own name
	negate bool     // --no-NAME
	target *flagValue
}

// String implements pflag.Value: what --help shows as the default.
func (f *flagValue) String() string {
	if f.spec == nil || f.target != nil || f.spec.Default == nil || f.spec.Kind == SecretParam {
		return ""
	}
	return plain(f.spec.Default)
}

// Set implements pflag.Value.
func (f *flagValue) Set(text string) error {
	if f.target != nil { // a shorthand or a negation
		on, err := parseBool(text)
		if err != nil {
			return err
		}
		if f.negate {
			on = !on
			return f.target.set(fmt.Sprint(on), f.flag)
		}
		if !on {
			return fmt.Errorf("takes no value; give --%s another one instead", f.spec.Of)
		}
		return f.target.set(f.spec.To, f.flag)
	}
	return f.set(text, f.flag)
}

// set takes a value that a flag gave, which is this one, a shorthand for it or its negation.
func (f *flagValue) set(text, flag string) error {
	if f.spec.Kind != SecretParam {
		if _, err := f.spec.Parse(text, "/"); err != nil {
			return err
		}
	}
	f.given, f.by = append(f.given, text), append(f.by, flag)
	return nil
}

// Type implements pflag.Value.
func (f *flagValue) Type() string {
	switch f.spec.Kind {
	case BoolParam, ShorthandParam:
		return "bool"
	case ChoiceParam:
		return strings.Join(f.spec.Choices, "|")
	case ListParam:
		return "item,…"
	case SecretParam:
		return "env:NAME|file:PATH"
	}
	return string(f.spec.Kind)
}

// Flags are the command-line flags of a recipe's parameters.
type Flags struct {
	recipe *Recipe
	values map[string]*flagValue
}

// AddFlags declares a flag for each parameter of the recipe.
func (r *Recipe) AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{recipe: r, values: map[string]*flagValue{}}
	for _, p := range r.Params {
		if p.Kind != ShorthandParam {
			f.values[p.Name] = &flagValue{spec: p, flag: p.Flag()}
		}
	}
	for _, p := range r.Params {
		v := f.values[p.Name]
		if v == nil {
			v = &flagValue{spec: p, flag: p.Flag(), target: f.values[p.Of]}
		}
		flag := set.VarPF(v, p.Flag(), p.Short, p.usage())
		if p.Kind == ShorthandParam || p.Kind == BoolParam {
			flag.NoOptDefVal = "true"
		}
		if p.Kind == BoolParam {
			no := set.VarPF(&flagValue{spec: p, flag: "no-" + p.Flag(), target: v, negate: true}, "no-"+p.Flag(), "", "not --"+p.Flag())
			no.NoOptDefVal, no.Hidden = "true", p.Default != starlark.True
		}
	}
	return f
}

func (p *ParamSpec) usage() string {
	text := p.Help
	if p.Kind == ShorthandParam && text == "" {
		text = fmt.Sprintf("the same as --%s %s", strings.ReplaceAll(p.Of, "_", "-"), p.To)
	}
	if p.Required {
		text += " (required)"
	}
	return strings.TrimSpace(text)
}

// Positional hands arguments without a flag to the parameters that accept them, in order.
func (f *Flags) Positional(args []string) error {
	for _, p := range f.recipe.Params {
		if len(args) == 0 {
			return nil
		}
		if !p.Positional {
			continue
		}
		if err := f.values[p.Name].Set(args[0]); err != nil {
			return fmt.Errorf("argument %s: %w", p.Name, err)
		}
		args = args[1:]
	}
	if len(args) > 0 {
		return fmt.Errorf("unexpected argument %q", args[0])
	}
	return nil
}

// text returns what the command line, or else the environment, gives for a parameter.
func (f *Flags) text(p *ParamSpec, environ []string) (text, from string, ok bool, err error) {
	given, flag := f.values[p.Name].given, "--"+p.Flag()
	if len(given) == 0 {
		text, ok = lookupEnv(environ, p.Env())
		return text, p.Env(), ok, nil
	}
	if p.Kind == ListParam {
		return strings.Join(given, ","), flag, true, nil
	}
	last := len(given) - 1
	for i, by := range f.values[p.Name].by { // the last of one flag counts, but --docker --binary is a contradiction
		if by != f.values[p.Name].by[last] && given[i] != given[last] {
			return "", "", false, fmt.Errorf("--%s and --%s contradict each other", by, f.values[p.Name].by[last])
		}
	}
	if p.Kind != SecretParam {
		return given[last], flag, true, nil
	}
	if text, err = readSecret(given[last], f.recipe.host.dir, environ); err != nil {
		return "", "", false, fmt.Errorf("%s: %w", flag, err)
	}
	return text, flag, true, nil
}

// plain writes a value as a person would on the command line.
func plain(v starlark.Value) string {
	if text, ok := starlark.AsString(v); ok {
		return text
	}
	switch v := v.(type) {
	case *starlark.List:
		var items []string
		for e := range starlark.Elements(v) {
			items = append(items, plain(e))
		}
		return strings.Join(items, ",")
	case starlark.Bool:
		return strings.ToLower(v.String())
	case starlark.NoneType:
		return ""
	}
	return v.String()
}
