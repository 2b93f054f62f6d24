package fetch

import (
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
)

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

// guess is a struct of which a preview knows some fields: the others stop it when they are used.
type guess struct {
	known   starlark.StringDict
	unknown []string
	what    string
}

var _ starlark.HasAttrs = (*guess)(nil)

func (g *guess) Type() string          { return "struct" }
func (g *guess) Freeze()               { g.known.Freeze() }
func (g *guess) Truth() starlark.Bool  { return true }
func (g *guess) Hash() (uint32, error) { return 0, g.err() }
func (g *guess) AttrNames() []string   { return append(g.known.Keys(), g.unknown...) }

// String panics, as that of an unknown value does: a text made of a guess must not come to be.
func (g *guess) String() string { panic(g.err()) }

// Attr returns a field.
func (g *guess) Attr(name string) (starlark.Value, error) {
	if v, ok := g.known[name]; ok {
		return v, nil
	}
	if slices.Contains(g.unknown, name) {
		return nil, g.err()
	}
	return nil, nil
}

func (g *guess) err() error {
	return runtime.NewUnknown(g.what, "a preview downloads nothing: use path and changed, and the size in a run only").Err()
}
