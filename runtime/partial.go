package runtime

import (
	"maps"
	"slices"

	"go.starlark.net/starlark"
)

// Partial is a struct of which a preview knows some fields. A use of one of the others, or of the whole as a text or a
// key, stops the preview as that of an [Unknown] does.
type Partial struct {
	known   starlark.StringDict
	unknown []string
	rest    *Unknown
}

var _ starlark.HasAttrs = (*Partial)(nil)

// NewPartial returns a struct with these fields, of which those that are unknown are not known whatever fields has for
// them. What names the others in the error ("the pid of console, which this run starts,"), and hint says what to write
// instead.
func NewPartial(fields starlark.StringDict, unknown []string, what, hint string) *Partial {
	known := maps.Clone(fields)
	for _, name := range unknown {
		delete(known, name)
	}
	return &Partial{known, unknown, NewUnknown(what, hint)}
}

// Type implements starlark.Value: in a run it is a struct.
func (p *Partial) Type() string { return "struct" }

// Freeze implements starlark.Value.
func (p *Partial) Freeze() { p.known.Freeze() }

// Truth implements starlark.Value.
func (p *Partial) Truth() starlark.Bool { return true }

// Hash implements starlark.Value.
func (p *Partial) Hash() (uint32, error) { return 0, p.rest.Err() }

// String panics, as that of an unknown value does: a text made of it must not come to be.
func (p *Partial) String() string { panic(p.rest.Err()) }

// AttrNames implements starlark.HasAttrs.
func (p *Partial) AttrNames() []string { return append(p.known.Keys(), p.unknown...) }

// Attr implements starlark.HasAttrs.
func (p *Partial) Attr(name string) (starlark.Value, error) {
	if v, ok := p.known[name]; ok {
		return v, nil
	}
	if slices.Contains(p.unknown, name) {
		return nil, p.rest.Err()
	}
	return nil, nil
}
