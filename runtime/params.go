package runtime

import (
	"fmt"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
)

// ParamSpec is one entry of a recipe's PARAMS: what param.choice and its like return.
type ParamSpec struct {
	Name       string // as in PARAMS; the flag has "-" for "_"
	Kind       ParamKind
	Help       string
	Required   bool
	Default    starlark.Value // nil: none
	Choices    []string
	Pattern    *regexp.Regexp
	Short      string // a one-letter flag
	Positional bool   // may be given as an argument without a flag
	// Of and To make it a shorthand: giving it gives the parameter Of the value To.
	Of, To string
}

// ParamKind is the type of a parameter's value.
type ParamKind string

const (
	StringParam    ParamKind = "string"
	IntParam       ParamKind = "int"
	FloatParam     ParamKind = "float"
	BoolParam      ParamKind = "bool"
	ChoiceParam    ParamKind = "choice"
	ListParam      ParamKind = "list"
	PathParam      ParamKind = "path"
	DurationParam  ParamKind = "duration"
	SecretParam    ParamKind = "secret"
	ShorthandParam ParamKind = "shorthand"
)

var _ starlark.Value = (*ParamSpec)(nil)

func (p *ParamSpec) String() string        { return fmt.Sprintf("<param %s>", p.Kind) }
func (p *ParamSpec) Type() string          { return "param" }
func (p *ParamSpec) Freeze()               {}
func (p *ParamSpec) Truth() starlark.Bool  { return true }
func (p *ParamSpec) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: param") }

// Flag returns the parameter's flag, without dashes.
func (p *ParamSpec) Flag() string { return strings.ReplaceAll(p.Name, "_", "-") }

// Env returns the environment variable that sets the parameter.
func (p *ParamSpec) Env() string { return "INFRARUN_" + strings.ToUpper(p.Name) }

// Parse turns the text of a flag or an environment variable into a value. Dir is what a relative
// path is relative to.
func (p *ParamSpec) Parse(text, dir string) (starlark.Value, error) {
	switch p.Kind {
	case IntParam:
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no whole number", text)
		}
		return starlark.MakeInt64(n), nil
	case FloatParam:
		x, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, fmt.Errorf("%q is no number", text)
		}
		return starlark.Float(x), nil
	case BoolParam, ShorthandParam:
		b, err := parseBool(text)
		return starlark.Bool(b), err
	case DurationParam:
		if _, err := time.ParseDuration(text); err != nil {
			return nil, fmt.Errorf("%q is no duration such as 90s or 1m30s", text)
		}
	case ListParam:
		var items []starlark.Value
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, starlark.String(item))
			}
		}
		return p.Check(starlark.NewList(items), dir)
	}
	return p.Check(starlark.String(text), dir)
}

// Check accepts a value of the parameter's kind, as a site file, an environment file or a default
// gives it.
func (p *ParamSpec) Check(v starlark.Value, dir string) (starlark.Value, error) {
	bad := func(want string) error {
		if p.Kind == SecretParam {
			return fmt.Errorf("got %s, want %s", v.Type(), want)
		}
		return fmt.Errorf("got %s %s, want %s", v.Type(), v, want)
	}
	switch p.Kind {
	case IntParam:
		if _, ok := v.(starlark.Int); !ok {
			return nil, bad("int")
		}
	case FloatParam:
		x, ok := starlark.AsFloat(v)
		if !ok {
			return nil, bad("float")
		}
		return starlark.Float(x), nil
	case BoolParam, ShorthandParam:
		if _, ok := v.(starlark.Bool); !ok {
			return nil, bad("True or False")
		}
	case DurationParam:
		var s Seconds
		if err := s.Unpack(v); err != nil {
			return nil, err
		}
		return startime.Duration(s.Duration), nil
	case ListParam:
		var s Strings
		if err := s.Unpack(v); err != nil {
			return nil, err
		}
		for _, item := range s {
			if err := p.checkText(item); err != nil {
				return nil, err
			}
		}
	default:
		text, ok := starlark.AsString(v)
		if !ok {
			return nil, bad("string")
		}
		if err := p.checkText(text); err != nil {
			return nil, err
		}
		if p.Kind == PathParam && text != "" {
			return starlark.String(absolute(text, dir)), nil
		}
	}
	return v, nil
}

func (p *ParamSpec) checkText(text string) error {
	if strings.ContainsRune(text, 0) {
		return fmt.Errorf("has a NUL byte")
	}
	if len(p.Choices) > 0 && !slices.Contains(p.Choices, text) {
		return fmt.Errorf("%q is none of %s%s", text, strings.Join(p.Choices, ", "), diag.DidYouMean(text, p.Choices))
	}
	switch {
	case p.Pattern == nil || p.Pattern.MatchString(text):
		return nil
	case p.Kind == SecretParam:
		return fmt.Errorf("it does not match %s", p.Pattern)
	}
	return fmt.Errorf("%q does not match %s", text, p.Pattern)
}

// absolute makes a path clean, and relative to dir.
func absolute(name, dir string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return filepath.Clean(name)
}

func parseBool(text string) (bool, error) {
	switch strings.ToLower(text) {
	case "1", "true", "yes", "on":
		return true, nil
	case "0", "false", "no", "off":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", text)
}

// zero is the value of a parameter that nobody gave and that has no default.
func (p *ParamSpec) zero() starlark.Value {
	switch p.Kind {
	case StringParam, PathParam, SecretParam:
		return starlark.String("")
	case BoolParam:
		return starlark.False
	case ListParam:
		return starlark.NewList(nil)
	}
	return starlark.None
}
