package reference

import (
	"fmt"
	"strings"

	"github.com/infrarun/infrarun/runtime"
)

const preface = `# Builtins

What recipes can call, beside [Starlark itself](https://github.com/bazelbuild/starlark/blob/master/spec.md). This file is
made from the declarations in the code; ` + "`infrarun doc NAME`" + ` shows the same on a terminal.

Under "Undo" stands how far the machine is put back when a run fails: a builtin without it changes nothing. Under
"Permission" stands what a recipe must declare in ` + "`PERMISSIONS`" + ` to call it.

`

// Markdown returns the reference of all families: contents first, then a section a family.
func Markdown(families []*runtime.Family) string {
	var b strings.Builder
	b.WriteString(preface)
	all := sections(families)
	for _, s := range all {
		fmt.Fprintf(&b, "- [%s](#%s): %s", s.title(), anchor(s.title()), s.summary())
		for i, builtin := range s.builtins {
			separator := " · "
			if i == 0 {
				separator = "  \n  "
			}
			fmt.Fprintf(&b, "%s[%s](#%s)", separator, builtin.Name, anchor(builtin.Name))
		}
		b.WriteString("\n")
	}
	for _, s := range all {
		s.markdown(&b)
	}
	return b.String()
}

// anchor is the name that a Markdown reader gives a heading.
func anchor(heading string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, strings.ReplaceAll(strings.ToLower(heading), " ", "-"))
}

func (s *section) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", s.title(), prose(strings.Join(s.docs, "\n\n")))
	if len(s.kinds) > 0 {
		fmt.Fprintf(b, "\nKinds of permission: %s.\n", code(s.kinds))
	}
	if len(s.constants) > 0 {
		var names []string
		for _, name := range s.constantNames() {
			names = append(names, s.constant(name))
		}
		fmt.Fprintf(b, "\nConstants: %s.\n", code(names))
	}
	for _, builtin := range s.builtins {
		builtinMarkdown(b, builtin)
	}
}

func builtinMarkdown(b *strings.Builder, builtin *runtime.Builtin) {
	fmt.Fprintf(b, "\n### %s\n\n```python\n%s\n```\n\n%s\n", builtin.Name, signature(builtin), prose(strings.TrimSpace(builtin.Doc)))
	if len(builtin.Params) > 0 {
		b.WriteString("\n| Parameter | Type | Default | |\n|---|---|---|---|\n")
		for _, p := range builtin.Params {
			standard := defaultOf(p)
			if !p.Required && !strings.HasPrefix(p.Name, "*") {
				standard = "`" + standard + "`"
			}
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", p.Name, cell(p.Type), cell(standard), cell(prose(p.Doc)))
		}
	}
	b.WriteString("\n")
	for _, f := range facts(builtin) {
		fmt.Fprintf(b, "- %s: %s\n", f[0], prose(f[1]))
	}
	if builtin.Example != "" {
		fmt.Fprintf(b, "\n```python\n%s\n```\n", strings.TrimSpace(builtin.Example))
	}
}

// code lists names as code.
func code(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

// prose is a plain text as Markdown: characters that would be read as markup are escaped.
func prose(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if strings.IndexByte("*<`[\\", text[i]) >= 0 || text[i] == '_' && !inWord(text, i) {
			b.WriteByte('\\')
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// inWord reports whether letters or digits are on both sides of a character. There an underscore means nothing.
func inWord(text string, i int) bool {
	return i > 0 && i+1 < len(text) && alphanumeric(text[i-1]) && alphanumeric(text[i+1])
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// cell is Markdown in a table.
func cell(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "|", `\|`), "\n", " ")
}
