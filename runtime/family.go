package runtime

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family is a group of builtins that a recipe sees as one name, such as fs. Every family is a package
// under builtins/; cmd assembles the list.
type Family struct {
	Name string // the prefix of its builtins; "" for builtins without one
	Doc  string // what the family is for; the first sentence is its summary

	Builtins []*Builtin
	// Constants are further members, such as math.pi. They must be frozen.
	Constants starlark.StringDict
	// Undoers carry out the undo records of the family, by kind.
	Undoers map[string]Undoer
	// Permissions are the kinds of permission the family introduces, and how their targets compare.
	Permissions map[string]policy.Matcher
}

// Builtin is the one declaration of a function that recipes call. Unpacking, `infrarun doc`, the
// reference and the tests all read it. Make one with [Define].
type Builtin struct {
	Name       string // as a recipe writes it: fs.write
	Doc        string // the first sentence is its summary
	Returns    string // what it gives back; "" for None
	Permission string // the permission it needs, in words: `fs.write on path`; "" for none
	Undo       Class  // how far its undo goes; "" where it changes nothing
	Example    string // a line or more of Starlark
	Pure       bool   // reaches nothing outside Starlark: may be called while a module loads
	Params     []Param

	// passesOn: its arguments are for a function of the recipe, so unknown values may be among them.
	passesOn bool
	call     func(*Call, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)
}

// Param is a parameter of a builtin, read off the struct that it unpacks into.
type Param struct {
	Name     string // "path", or "*args", "**kwargs"
	Type     string // as Starlark names it: string, int, list of string
	Default  string // as written in a call; only if not Required
	Required bool
	Doc      string
}

// Summary returns the first sentence of the documentation.
func (b *Builtin) Summary() string { return firstSentence(b.Doc) }

// Summary returns the first sentence of the documentation.
func (f *Family) Summary() string { return firstSentence(f.Doc) }

func firstSentence(doc string) string {
	doc = strings.TrimSpace(doc)
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	if i := strings.Index(doc, ".\n"); i >= 0 {
		return doc[:i+1]
	}
	return doc
}

// Signature returns the builtin as one would declare it: `fs.write(path, content, mode = "0644")`.
func (b *Builtin) Signature() string {
	params := make([]string, len(b.Params))
	for i, p := range b.Params {
		params[i] = p.Name
		if !p.Required && !strings.HasPrefix(p.Name, "*") {
			params[i] += " = " + p.Default
		}
	}
	return b.Name + "(" + strings.Join(params, ", ") + ")"
}

// Define makes a builtin whose arguments are unpacked into a struct of type A: a field with the tag
// `arg:"name"` is a parameter, required unless it has a tag `default:"…"`; `doc:"…"` documents it.
// See args.go for the types a field may have.
func Define[A any](b Builtin, fn func(*Call, A) (starlark.Value, error)) *Builtin {
	fields := fieldsOf(reflect.TypeFor[A](), b.Name)
	for _, f := range fields {
		b.Params = append(b.Params, f.Param)
	}
	b.call = func(c *Call, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		var a A
		if err := unpack(b.Name, fields, reflect.ValueOf(&a).Elem(), args, kwargs); err != nil {
			return nil, err
		}
		return fn(c, a)
	}
	return &b
}

// registry is the families of a host, indexed.
type registry struct {
	families    []*Family
	builtins    map[string]*Builtin
	values      map[string]*starlark.Builtin
	undoers     map[string]Undoer
	permissions map[string]policy.Matcher
	predeclared starlark.StringDict
}

func newRegistry(families []*Family) (*registry, error) {
	r := &registry{
		families:    families,
		builtins:    map[string]*Builtin{},
		values:      map[string]*starlark.Builtin{},
		undoers:     map[string]Undoer{},
		permissions: map[string]policy.Matcher{},
		predeclared: starlark.StringDict{},
	}
	for _, f := range families {
		if err := r.add(f); err != nil {
			return nil, err
		}
	}
	r.predeclared.Freeze()
	return r, nil
}

func (r *registry) add(f *Family) error {
	members := starlark.StringDict{}
	for name, v := range f.Constants {
		members[name] = v
	}
	for _, b := range f.Builtins {
		member, found := strings.CutPrefix(b.Name, f.Name+".")
		if f.Name == "" {
			member, found = b.Name, true
		}
		if !found {
			return fmt.Errorf("builtin %s is not named after its family %s", b.Name, f.Name)
		}
		if r.builtins[b.Name] != nil {
			return fmt.Errorf("builtin %s is declared twice", b.Name)
		}
		v := starlark.NewBuiltin(b.Name, b.enter)
		r.builtins[b.Name], r.values[b.Name], members[member] = b, v, v
	}
	for kind, u := range f.Undoers {
		if r.undoers[kind] != nil {
			return fmt.Errorf("undo kind %s is declared twice", kind)
		}
		r.undoers[kind] = u
	}
	for kind, m := range f.Permissions {
		r.permissions[kind] = m
	}
	if f.Name == "" {
		for name, v := range members {
			r.predeclared[name] = v
		}
		return nil
	}
	r.predeclared[f.Name] = &namespace{name: f.Name, members: members}
	return nil
}

// names lists everything a recipe can name without loading it, for suggestions.
func (r *registry) names() []string {
	names := slices.Collect(func(yield func(string) bool) {
		for name := range r.predeclared {
			if !yield(name) {
				return
			}
		}
		for name := range starlark.Universe {
			if !yield(name) {
				return
			}
		}
	})
	slices.Sort(names)
	return names
}

// namespace is a family as a recipe sees it.
type namespace struct {
	name    string
	members starlark.StringDict
}

var _ starlark.HasAttrs = (*namespace)(nil)

func (n *namespace) String() string        { return "<family " + n.name + ">" }
func (n *namespace) Type() string          { return n.name }
func (n *namespace) Freeze()               { n.members.Freeze() }
func (n *namespace) Truth() starlark.Bool  { return true }
func (n *namespace) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: %s", n.name) }
func (n *namespace) AttrNames() []string   { return n.members.Keys() }

// Attr returns a member.
func (n *namespace) Attr(name string) (starlark.Value, error) {
	if v, ok := n.members[name]; ok {
		return v, nil
	}
	return nil, &noBuiltinError{n, name}
}

// noBuiltinError is a name that a family lacks. It finds more slips than the interpreter would.
type noBuiltinError struct {
	family *namespace
	name   string
}

func (e *noBuiltinError) Error() string {
	return fmt.Sprintf("%s.%s: no such builtin", e.family.name, e.name)
}

// Hint says which name may be meant.
func (e *noBuiltinError) Hint() string {
	if nearest, ok := diag.Suggest(e.name, e.family.AttrNames()); ok {
		return fmt.Sprintf("did you mean %s.%s?", e.family.name, nearest)
	}
	return fmt.Sprintf("there are %s.%s", e.family.name, strings.Join(e.family.AttrNames(), ", "+e.family.name+"."))
}
