package reference

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fatih/color"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/diag"
)

// Text writes what infrarun doc shows: all families if name is empty, one family, or one builtin or constant. An unknown
// name is an error that names the nearest one.
func Text(w io.Writer, families []*runtime.Family, name string, colored bool) error {
	p := &printer{w: w, bold: color.New(color.Bold), dim: color.New(color.Faint)}
	for _, c := range []*color.Color{p.bold, p.dim} {
		if colored {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
	}
	all := sections(families)
	if name == "" {
		p.overview(all)
		return p.err
	}
	if !p.find(all, name) {
		return unknown(all, name)
	}
	return p.err
}

// unknown is the error for a name that nothing has.
func unknown(all []*section, name string) error {
	var known []string
	for _, s := range all {
		known = append(known, s.title())
		for _, b := range s.builtins {
			known = append(known, b.Name)
		}
		for _, c := range s.constantNames() {
			known = append(known, s.member(c))
		}
	}
	if nearest, ok := diag.Suggest(name, known); ok {
		return fmt.Errorf("there is no builtin or family %q; did you mean %s?", name, nearest)
	}
	return fmt.Errorf("there is no builtin or family %q; infrarun doc lists them", name)
}

// printer writes lines for a terminal.
type printer struct {
	w         io.Writer
	bold, dim *color.Color
	err       error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

// find writes what has the name, and reports whether anything does.
func (p *printer) find(all []*section, name string) bool {
	for _, s := range all {
		if s.name == name || s.name == "" && strings.EqualFold(name, globals) {
			p.family(s)
			return true
		}
		for _, b := range s.builtins {
			if b.Name == name {
				p.builtin(b)
				return true
			}
		}
		for _, c := range s.constantNames() {
			if s.member(c) == name {
				p.printf("%s\n", s.constant(c))
				return true
			}
		}
	}
	return false
}

func (p *printer) overview(all []*section) {
	p.printf("%s\n\n", p.bold.Sprint("What recipes can call"))
	width := 0
	for _, s := range all {
		width = max(width, len(s.title()))
	}
	for _, s := range all {
		p.item(s.title(), s.summary(), width)
	}
	p.printf("\n%s\n", p.dim.Sprint("infrarun doc FAMILY lists a family, infrarun doc NAME describes a builtin."))
}

// item writes a name in a column and a text beside it.
func (p *printer) item(name, text string, column int) {
	pad := strings.Repeat(" ", max(0, column-utf8.RuneCountInString(name)))
	lines := wrap(text, lineWidth-column-4)
	p.printf("  %s%s  %s\n", p.bold.Sprint(name), pad, lines[0])
	for _, line := range lines[1:] {
		p.printf("%s%s\n", strings.Repeat(" ", column+4), line)
	}
}

func (p *printer) family(s *section) {
	p.printf("%s\n\n", p.bold.Sprint(s.title()))
	p.paragraphs(strings.Join(s.docs, "\n\n"))
	p.printf("\n")
	for _, b := range s.builtins {
		p.printf("  %s\n", p.bold.Sprint(b.Name))
		for _, line := range wrap(b.Summary(), lineWidth-6) {
			p.printf("      %s\n", line)
		}
	}
	for _, c := range s.constantNames() {
		p.printf("  %s\n", p.bold.Sprint(s.constant(c)))
	}
	if len(s.kinds) > 0 {
		p.printf("\nKinds of permission: %s\n", strings.Join(s.kinds, ", "))
	}
}

func (p *printer) builtin(b *runtime.Builtin) {
	p.printf("%s\n\n", p.bold.Sprint(signature(b)))
	p.paragraphs(b.Doc)
	if len(b.Params) > 0 {
		p.printf("\n")
	}
	for _, param := range b.Params {
		p.printf("  %s  %s\n", p.bold.Sprint(param.Name), p.dim.Sprint(param.Type+", "+standard(param)))
		for _, line := range wrap(param.Doc, lineWidth-6) {
			p.printf("      %s\n", line)
		}
	}
	p.printf("\n")
	for _, f := range facts(b) {
		p.item(f[0], f[1], len("Permission"))
	}
	if b.Example != "" {
		p.printf("\nExample:\n\n")
		for line := range strings.Lines(strings.TrimSpace(b.Example)) {
			p.printf("    %s\n", strings.TrimSuffix(line, "\n"))
		}
	}
}

// standard is what a parameter is if it is left out, in words.
func standard(p runtime.Param) string {
	if p.Required || strings.HasPrefix(p.Name, "*") {
		return defaultOf(p)
	}
	return "default " + defaultOf(p)
}

func (p *printer) paragraphs(text string) {
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			p.printf("\n")
		}
		for _, line := range wrap(paragraph, lineWidth) {
			p.printf("%s\n", line)
		}
	}
}

// lineWidth is that of the narrowest terminal in use.
const lineWidth = 80

// wrap breaks a text into lines of at most width characters, where its words allow that. There is at least one line.
func wrap(text string, width int) []string {
	var lines []string
	var line []string
	length := 0
	for word := range strings.FieldsSeq(text) {
		n := utf8.RuneCountInString(word)
		if len(line) > 0 && length+1+n > width {
			lines = append(lines, strings.Join(line, " "))
			line, length = nil, 0
		}
		if len(line) > 0 {
			length++
		}
		line, length = append(line, word), length+n
	}
	return slices.Concat(lines, []string{strings.Join(line, " ")})
}
