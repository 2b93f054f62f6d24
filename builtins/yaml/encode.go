package yaml

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	yaml3 "gopkg.in/yaml.v3"

	"github.com/infrarun/infrarun/builtins/internal/data"
)

// encode writes a value that is plain data.
func encode(v starlark.Value) (string, error) {
	if err := data.CheckUnicode(v); err != nil {
		return "", err
	}
	e := encoder{left: maxNodes}
	n, err := e.node(v)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	out := yaml3.NewEncoder(&text)
	out.SetIndent(2)
	if err := out.Encode(n); err != nil {
		return "", plain(err)
	}
	if err := out.Close(); err != nil {
		return "", plain(err)
	}
	return text.String(), nil
}

// encoder turns values into what the library writes, and counts what it makes.
type encoder struct{ left int }

func (e *encoder) node(v starlark.Value) (*yaml3.Node, error) {
	if e.left--; e.left < 0 {
		return nil, fmt.Errorf("the value consists of more than %d values", maxNodes)
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return &yaml3.Node{Kind: yaml3.ScalarNode, Tag: "!!null", Value: "null"}, nil
	case starlark.Bool:
		return &yaml3.Node{Kind: yaml3.ScalarNode, Tag: "!!bool", Value: strings.ToLower(v.String())}, nil
	case starlark.Int:
		// Untagged: the library takes an integer beyond 64 bits for a float.
		return &yaml3.Node{Kind: yaml3.ScalarNode, Value: v.String()}, nil
	case starlark.Float:
		return &yaml3.Node{Kind: yaml3.ScalarNode, Value: float(float64(v))}, nil
	case starlark.String:
		return &yaml3.Node{Kind: yaml3.ScalarNode, Tag: "!!str", Value: string(v), Style: style(string(v))}, nil
	case *starlark.Dict, *starlarkstruct.Struct:
		return e.collection(yaml3.MappingNode, v)
	case *starlark.List, starlark.Tuple, *starlark.Set:
		return e.collection(yaml3.SequenceNode, v)
	}
	return nil, fmt.Errorf("a %s cannot be written as YAML", v.Type())
}

func (e *encoder) collection(kind yaml3.Kind, v starlark.Value) (*yaml3.Node, error) {
	n := &yaml3.Node{Kind: kind}
	err := data.Each(v, func(key, item starlark.Value) error {
		if key != nil {
			k, err := e.node(key)
			if err != nil {
				return err
			}
			if k.Kind != yaml3.ScalarNode {
				return fmt.Errorf("key %s is a %s; use a string", key, key.Type())
			}
			n.Content = append(n.Content, k)
		}
		i, err := e.node(item)
		if err != nil {
			return err
		}
		n.Content = append(n.Content, i)
		return nil
	})
	if len(n.Content) == 0 {
		n.Style = yaml3.FlowStyle // [] or {}
	}
	return n, err
}

func float(f float64) string {
	switch {
	case math.IsNaN(f):
		return ".nan"
	case math.IsInf(f, 1):
		return ".inf"
	case math.IsInf(f, -1):
		return "-.inf"
	}
	return starlark.Float(f).String()
}

// older matches what is quoted although the library would not: what a reader of YAML 1.1, of which there are many, takes
// for a boolean or for a number to the base of 60, and integers too long for the library.
var older = regexp.MustCompile(`^(?:` + strings.Join([]string{
	`(?i:y|n|yes|no|on|off|true|false|null|~)`,
	`[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`,
	`[-+]*[0-9]{19,}`,
}, `|`) + `)$`)

// style says how a string is written: as a block if it has lines that look in a block as they are; in double quotes,
// which can hold anything, if something about it is unusual; else as the library likes.
func style(s string) yaml3.Style {
	switch {
	case block(s):
		return yaml3.LiteralStyle
	case older.MatchString(s), strings.ContainsFunc(s, unusual):
		return yaml3.DoubleQuotedStyle
	}
	return 0
}

func block(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasSuffix(s, "\n\n") {
		return false
	}
	if strings.ContainsFunc(s[:1], unicode.IsSpace) { // the first line's indentation would be taken for the block's
		return false
	}
	for line := range strings.Lines(s) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasSuffix(line, " ") || strings.ContainsFunc(line, unusual) {
			return false
		}
	}
	return true
}

// unusual reports whether a character would not be seen, or be taken for a line's end, in plain text.
func unusual(r rune) bool {
	return r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Z, r) && r != ' '
}
