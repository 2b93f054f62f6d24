// Package reference writes the documentation of builtins from their declarations, so that it cannot say anything else than
// what is called.
//
//	Markdown(families)                     builtins/README.md
//	Text(w, families, name, color)         infrarun doc [NAME]
//	Undocumented(families)                 what a declaration lacks, for a test
//
// It knows no family.
package reference

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// globals is the heading of the builtins without a family.
const globals = "Global"

// section is a family as it is shown. All families without a name are shown as one.
type section struct {
	name      string // fs; "" for the global ones
	docs      []string
	builtins  []*runtime.Builtin
	constants starlark.StringDict
	kinds     []string // of permissions
}

// sections returns the families in their order.
func sections(families []*runtime.Family) []*section {
	var all []*section
	byName := map[string]*section{}
	for _, f := range families {
		s := byName[f.Name]
		if s == nil {
			s = &section{name: f.Name, constants: starlark.StringDict{}}
			byName[f.Name] = s
			all = append(all, s)
		}
		s.docs = append(s.docs, strings.TrimSpace(f.Doc))
		s.builtins = append(s.builtins, f.Builtins...)
		maps.Copy(s.constants, f.Constants)
		s.kinds = append(s.kinds, slices.Sorted(maps.Keys(f.Permissions))...)
	}
	return all
}

// title is the section's heading.
func (s *section) title() string {
	if s.name == "" {
		return globals
	}
	return s.name
}

// summary is the first sentence about the section.
func (s *section) summary() string {
	f := runtime.Family{Doc: s.docs[0]}
	return f.Summary()
}

// member is the full name of a member.
func (s *section) member(name string) string {
	if s.name == "" {
		return name
	}
	return s.name + "." + name
}

// constant is a constant as it is shown: math.pi = 3.14. Of a function, such as struct, only the name is.
func (s *section) constant(name string) string {
	if _, ok := s.constants[name].(starlark.Callable); ok {
		return s.member(name)
	}
	return s.member(name) + " = " + s.constants[name].String()
}

func (s *section) constantNames() []string { return slices.Sorted(maps.Keys(s.constants)) }

// facts are what is told of a builtin besides its text and parameters, as pairs of a word and what it is.
func facts(b *runtime.Builtin) [][2]string {
	all := [][2]string{{"Returns", b.Returns}, {"Permission", b.Permission}, {"Undo", undo[b.Undo]}}
	if b.Returns == "" {
		all[0][1] = "None"
	}
	return slices.DeleteFunc(all, func(f [2]string) bool { return f[1] == "" })
}

// undo is how far an undo goes, in words.
var undo = map[runtime.Class]string{
	runtime.Exact:        "exact: what was there comes back as it was",
	runtime.Compensating: "compensating: another action brings back an equal state",
	runtime.NoUndo:       "none: nothing can undo it",
}

// signature is a builtin as one would declare it, broken into lines that are indented like code where it is long.
func signature(b *runtime.Builtin) string {
	whole := b.Signature()
	if len(whole) <= lineWidth {
		return whole
	}
	params := strings.TrimSuffix(strings.TrimPrefix(whole, b.Name+"("), ")")
	const joined = "\x00=\x00" // so that a default stays beside its parameter
	lines := wrap(strings.ReplaceAll(params, " = ", joined), lineWidth-4)
	return b.Name + "(\n    " + strings.ReplaceAll(strings.Join(lines, "\n    "), joined, " = ") + ")"
}

// defaultOf is what a parameter is if it is left out.
func defaultOf(p runtime.Param) string {
	switch {
	case p.Required:
		return "required"
	case strings.HasPrefix(p.Name, "*"):
		return "any number"
	}
	return p.Default
}

// Undocumented returns a line for everything that the declarations do not document, such as `fs.write: parameter path`.
func Undocumented(families []*runtime.Family) []string {
	var missing []string
	for _, s := range sections(families) {
		for _, doc := range s.docs {
			if !sentence(doc) {
				missing = append(missing, s.title()+": the family")
			}
		}
		for _, b := range s.builtins {
			if !sentence(b.Doc) {
				missing = append(missing, b.Name+": the builtin")
			}
			for _, p := range b.Params {
				if strings.TrimSpace(p.Doc) == "" {
					missing = append(missing, b.Name+": parameter "+p.Name)
				}
			}
		}
	}
	return missing
}

// sentence reports whether a text is at least one, with its full stop.
func sentence(doc string) bool {
	doc = strings.TrimSpace(doc)
	return len(doc) > 1 && strings.ContainsAny(doc[len(doc)-1:], ".:)?")
}
