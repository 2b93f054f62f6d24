package runtime

import (
	"fmt"
	"regexp"

	"go.starlark.net/starlark"
)

// paramCommon is what every kind of parameter takes.
type paramCommon struct {
	Default    starlark.Value `arg:"default" default:"" doc:"the value where nobody gives one"`
	Help       string         `arg:"help" default:"" doc:"a line for --help"`
	Required   bool           `arg:"required" default:"false" doc:"refuse to run without a value"`
	Short      string         `arg:"short" default:"" doc:"a one-letter flag"`
	Positional bool           `arg:"positional" default:"false" doc:"also accept it as an argument without a flag"`
	Pattern    string         `arg:"pattern" default:"" doc:"a regular expression (RE2) that text must match"`
}

func (a paramCommon) spec(kind ParamKind) (*ParamSpec, error) {
	p := &ParamSpec{Kind: kind, Help: a.Help, Required: a.Required, Short: a.Short, Positional: a.Positional}
	if a.Default != nil && a.Default != starlark.None {
		p.Default = a.Default
	}
	if a.Required && p.Default != nil {
		return nil, fmt.Errorf("a required param cannot have a default")
	}
	if a.Pattern != "" {
		re, err := regexp.Compile(a.Pattern)
		if err != nil {
			return nil, fmt.Errorf("pattern: %w", err)
		}
		p.Pattern = re
	}
	return p, nil
}

// simpleParam declares the builtin of a kind that takes nothing but the common arguments.
func simpleParam(kind ParamKind, doc string) *Builtin {
	return Define(Builtin{
		Name: "param." + string(kind), Pure: true, Returns: "param", Doc: doc,
	}, func(_ *Call, a paramCommon) (starlark.Value, error) {
		return value(a.spec(kind))
	})
}

// value keeps a nil *ParamSpec from becoming a non-nil starlark.Value.
func value(p *ParamSpec, err error) (starlark.Value, error) {
	if err != nil {
		return nil, err
	}
	return p, nil
}

type choiceArgs struct {
	Choices Strings `arg:"choices" doc:"the values there are"`
	paramCommon
}

type shorthandArgs struct {
	Of   string `arg:"of" doc:"the param that it sets"`
	To   string `arg:"to" doc:"the value, as on the command line"`
	Help string `arg:"help" default:"" doc:"a line for --help"`
}

// paramFamily is the family param, which is the runtime's own: PARAMS are read before there is a run.
func paramFamily() *Family {
	return &Family{
		Name: "param",
		Doc: "Parameters of a recipe: the entries of PARAMS. Each becomes a flag of the command line, an " +
			"environment variable INFRARUN_NAME, and a field of ctx.params.",
		Builtins: []*Builtin{
			simpleParam(StringParam, "A text."),
			simpleParam(IntParam, "A whole number."),
			simpleParam(FloatParam, "A number."),
			simpleParam(BoolParam, "True or False: a flag without a value; --no-NAME makes it False."),
			simpleParam(ListParam, "A list of texts: the flag is repeated, or its value has commas."),
			simpleParam(PathParam, "A path of a file or directory. A relative one is relative to where infrarun was started."),
			simpleParam(DurationParam, "A length of time, such as 90s or 1m30s."),
			simpleParam(SecretParam, "A secret. On the command line it is named, not given: --NAME env:VARIABLE or "+
				"--NAME file:PATH; the variable INFRARUN_NAME may hold it. It is redacted everywhere."),
			Define(Builtin{
				Name: "param.choice", Pure: true, Returns: "param", Doc: "One of several texts.",
				Example: `param.choice(["production", "staging"], default = "staging", help = "where to deploy")`,
			}, func(_ *Call, a choiceArgs) (starlark.Value, error) {
				if len(a.Choices) == 0 {
					return nil, fmt.Errorf("choices is empty")
				}
				p, err := a.spec(ChoiceParam)
				if p != nil {
					p.Choices = a.Choices
				}
				return value(p, err)
			}),
			Define(Builtin{
				Name: "param.shorthand", Pure: true, Returns: "param",
				Doc:     "A flag that stands for another param with a value, as --docker does for --type docker.",
				Example: `param.shorthand("type", "docker")`,
			}, func(_ *Call, a shorthandArgs) (starlark.Value, error) {
				return &ParamSpec{Kind: ShorthandParam, Of: a.Of, To: a.To, Help: a.Help}, nil
			}),
		},
	}
}
