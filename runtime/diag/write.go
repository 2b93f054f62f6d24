package diag

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"

	"github.com/fatih/color"
)

// Write shows d to a person. With colors it uses ANSI sequences, whatever the environment says: the caller has
// decided. Control characters of messages and lines are replaced, so that nothing in them acts on a terminal.
// Errors of w are ignored, since there is nowhere else to report them.
func (d *Diagnostic) Write(w io.Writer, colors bool) {
	if d == nil {
		return
	}
	p := &printer{colors: colors}
	p.diagnostic(d)
	for _, other := range d.More {
		p.diagnostic(other)
	}
	_, _ = io.WriteString(w, p.String())
}

type printer struct {
	strings.Builder
	colors bool
}

func (p *printer) diagnostic(d *Diagnostic) {
	if d.File != "" {
		p.WriteString(p.paint(place(d.File, d.Line, d.Col)+":", color.Bold) + " ")
	}
	first, rest, more := strings.Cut(strings.TrimRight(d.Message, "\n"), "\n")
	p.WriteString(p.paint(visible(first), color.FgRed, color.Bold) + "\n")
	for more {
		first, rest, more = strings.Cut(rest, "\n")
		p.WriteString("  " + visible(first) + "\n")
	}
	p.source(d)
	for i := len(d.Frames) - 1; i >= 0; i-- {
		p.frame(&d.Frames[i])
	}
	if d.Hint != "" {
		hint := strings.ReplaceAll(strings.TrimSpace(d.Hint), "\n", "\n    ")
		p.WriteString("  " + p.paint("hint:", color.FgCyan, color.Bold) + " " + visible(hint) + "\n")
	}
}

// source shows the line, and the caret if the column is known.
func (p *printer) source(d *Diagnostic) {
	if strings.TrimSpace(d.Source) == "" {
		return
	}
	number := fmt.Sprintf("%5d", d.Line)
	bar := p.paint("|", color.FgBlue)
	fmt.Fprintf(p, "%s %s %s\n", p.paint(number, color.FgBlue), bar, strings.TrimRight(visible(d.Source), " "))
	if d.Col > 0 {
		fmt.Fprintf(p, "%*s %s %s%s\n", len(number), "", bar, padding(d.Source, d.Col), p.paint("^", color.FgRed, color.Bold))
	}
}

func (p *printer) frame(f *Frame) {
	how, in := "called from", ""
	if f.Loads {
		how = "loaded by"
	} else if f.Function != "" {
		in = " in " + f.Function
	}
	fmt.Fprintf(p, "  %s %s%s\n", how, place(f.File, f.Line, f.Col), visible(in))
}

// paint puts text into colors if they are wanted.
func (p *printer) paint(text string, attributes ...color.Attribute) string {
	if !p.colors {
		return text
	}
	c := color.New(attributes...)
	c.EnableColor()
	return c.Sprint(text)
}

// place writes a position with what is known of it.
func place(file string, line, col int) string {
	text := visible(file)
	if line > 0 {
		text += ":" + strconv.Itoa(line)
		if col > 0 {
			text += ":" + strconv.Itoa(col)
		}
	}
	return text
}

// visible replaces characters that would act on a terminal, or change the order of those around them, one by one,
// so that columns stay the same. Tabs and newlines stay.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\t' && r != '\n' || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, text)
}
