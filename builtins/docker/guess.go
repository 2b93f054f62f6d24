package docker

import (
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

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

// String panics, as that of an unknown value does: a text made of a guess must not come to be.
func (g *guess) String() string { panic(g.err()) }

func (g *guess) AttrNames() []string { return append(g.known.Keys(), g.unknown...) }

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
	return runtime.NewUnknown(g.what, "a preview makes no image and no container: leave out what looks closer with run.assume(…)").Err()
}

// guessOf makes a guess of a struct: of all its fields only some are known.
func guessOf(what string, all []string, known starlark.StringDict) *guess {
	g := &guess{what: what, known: known}
	for _, name := range all {
		if _, ok := known[name]; !ok {
			g.unknown = append(g.unknown, name)
		}
	}
	return g
}
