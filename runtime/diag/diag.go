// Package diag shows the errors of a recipe like a good compiler does: where, the line with a caret, how one got
// there through every call and load, and what to do.
//
//	recipes/deploy.star:41:7: fs.wirte: no such builtin
//	   41 |     fs.wirte(path, text)
//	      |       ^
//	  called from recipes/deploy.star:12:5 in main
//	  hint: did you mean fs.write?
//
// [From] makes a [Diagnostic] of whatever Starlark returned; an error that is not Starlark's becomes its message
// alone. An error anywhere in the chain gives the hint by having a method Hint() string. The package knows
// Starlark's errors and nothing of what builtins or a run are. It does not hide secrets: what it writes goes
// through whoever does.
package diag

import (
	"errors"
	"strings"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// Sources returns the text of a file by the name that Starlark knows it by; ok is false if there is none.
type Sources func(file string) (src string, ok bool)

// Frame is one call on the way to the error.
type Frame struct {
	File      string
	Line, Col int    // from 1, Col in characters; 0 if unknown
	Function  string // "" at the top level of a file
	Source    string // the line
	Loads     bool   // it is not a call but a load statement
}

// Diagnostic is an error with all that helps to mend it.
type Diagnostic struct {
	Message   string
	Hint      string // what to do; may be empty
	File      string // "" if the error has no place
	Line, Col int    // from 1, Col in characters; 0 if unknown
	Function  string // where it happened; "" at the top level of a file
	Source    string // the line
	Frames    []Frame
	More      []*Diagnostic // the other errors of the same file, each with its own place
}

// Position returns file:line:col, as far as it is known; "" if the error has no place.
func (d *Diagnostic) Position() string { return place(d.File, d.Line, d.Col) }

// Option changes how From reads an error.
type Option func(*reader)

// Known gives the names that a recipe can use besides its own, for the hint about one that is undefined. It is
// called only if there is such an error.
func Known(names func() []string) Option { return func(r *reader) { r.known = names } }

// From reads err, which may be a syntax error, a list of resolve errors, an evaluation error, or wrap one of them.
// In Frames the outermost call is first, and calls of builtins are left out. It returns nil for nil. src may be
// nil: then no line is shown.
func From(err error, src Sources, options ...Option) *Diagnostic {
	if err == nil {
		return nil
	}
	r := &reader{src: src}
	for _, option := range options {
		option(r)
	}
	d := &Diagnostic{Message: err.Error(), Hint: hintOf(err)}
	r.read(d, err)
	r.suggest(d)
	return d
}

// reader is what From needs at hand while it reads one error.
type reader struct {
	src   Sources
	known func() []string
}

// newlines makes one of the newlines that Starlark knows, so that lines are counted as it counts them.
var newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// line returns a line of a file, "" if it cannot be had.
func (r *reader) line(file string, line int) string {
	if r.src == nil || line < 1 {
		return ""
	}
	text, ok := r.src(file)
	if !ok {
		return ""
	}
	text = newlines.Replace(text)
	for range line - 1 {
		if _, text, ok = strings.Cut(text, "\n"); !ok {
			return ""
		}
	}
	text, _, _ = strings.Cut(text, "\n")
	return text
}

// place sets the position of d.
func (r *reader) place(d *Diagnostic, pos syntax.Position) {
	d.File, d.Line, d.Col = pos.Filename(), int(pos.Line), int(pos.Col)
	d.Source = r.line(d.File, d.Line)
}

// placeBefore moves d to the end of the last line before it that has text, if Starlark found that a line, a block or
// the file ended too early: it says so at the start of what comes next.
func (r *reader) placeBefore(d *Diagnostic, message string) {
	ended := strings.HasPrefix(message, "got outdent") || strings.HasPrefix(message, "got end of file")
	// The end of a line is placed right where the text has no newline at its end.
	newline := strings.HasPrefix(message, "got newline") && d.Col <= 1
	if !newline && !(ended && strings.TrimSpace(d.Source) == "") {
		return
	}
	for line := d.Line - 1; line > 0; line-- {
		if text := strings.TrimRight(r.line(d.File, line), " \t"); text != "" {
			d.Line, d.Col, d.Source = line, utf8.RuneCountInString(text)+1, text
			return
		}
	}
}

// resolveErrors puts the first error into d and the others into its More.
func (r *reader) resolveErrors(d *Diagnostic, list resolve.ErrorList) {
	r.place(d, list[0].Pos)
	for _, e := range list[1:] {
		other := &Diagnostic{Message: e.Msg}
		r.place(other, e.Pos)
		r.suggest(other)
		d.More = append(d.More, other)
	}
}

// hintOf returns the first hint that an error in the chain of err has.
func hintOf(err error) string {
	if h, ok := err.(interface{ Hint() string }); ok && h.Hint() != "" {
		return h.Hint()
	}
	for _, inner := range unwrap(err) {
		if hint := hintOf(inner); hint != "" {
			return hint
		}
	}
	return ""
}

// unwrap returns the errors that err wraps directly.
func unwrap(err error) []error {
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		return many.Unwrap()
	}
	if one := errors.Unwrap(err); one != nil {
		return []error{one}
	}
	return nil
}
