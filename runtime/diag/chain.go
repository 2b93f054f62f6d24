package diag

import (
	"errors"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

const (
	toplevel    = "<toplevel>"
	builtinFile = "<builtin>"
)

// chain is the calls that led to an error, outermost first, collected over all threads that took part: a load
// runs on a thread of its own, so an evaluation error has only the calls since the last load, and the error that
// it wraps has those inside.
type chain struct {
	frames []Frame
	thread int // where the frames of the innermost thread begin
}

// read follows the errors that err wraps down to the innermost that has a place, and fills in d.
func (r *reader) read(d *Diagnostic, err error) {
	var calls chain
	for ; err != nil; err = nextPlaced(err) {
		switch e := err.(type) {
		case *starlark.EvalError:
			if calls.add(e.CallStack) {
				d.Message = e.Msg // without "cannot load", which the frames say
			}
		case syntax.Error:
			d.Message = withoutPlace(d.Message, e.Error(), e.Msg)
			r.place(d, e.Pos)
			r.placeBefore(d, e.Msg)
		case resolve.Error:
			d.Message = withoutPlace(d.Message, e.Error(), e.Msg)
			r.place(d, e.Pos)
		case resolve.ErrorList:
			d.Message = withoutPlace(d.Message, e[0].Error(), e[0].Msg)
			r.resolveErrors(d, e)
		}
	}
	frames := calls.shown(d.Message)
	for i := range frames {
		frames[i].Source = r.line(frames[i].File, frames[i].Line)
	}
	if len(frames) == 0 {
		return
	}
	last := len(frames) - 1
	if d.File != "" {
		// The file with the mistake never ran. Only the top level of a file can load.
		frames[last].Loads = frames[last].Function == ""
	} else {
		f := frames[last]
		d.File, d.Line, d.Col, d.Function, d.Source = f.File, f.Line, f.Col, f.Function, f.Source
		frames = frames[:last]
	}
	d.Frames = frames
}

// nextPlaced returns the error that err wraps and that is, or wraps, one with a place; nil if there is none.
func nextPlaced(err error) error {
	for _, inner := range unwrap(err) {
		if hasPlace(inner) {
			return inner
		}
	}
	return nil
}

func hasPlace(err error) bool {
	var (
		eval   *starlark.EvalError
		parse  syntax.Error
		single resolve.Error
		list   resolve.ErrorList
	)
	return errors.As(err, &eval) || errors.As(err, &parse) || errors.As(err, &single) || errors.As(err, &list) && len(list) > 0
}

// withoutPlace takes the place out of a message, since it is shown in front of it. What a load put in front of the
// message goes as well: the frames say it.
func withoutPlace(message, placed, bare string) string {
	if strings.HasPrefix(message, "cannot load ") {
		return bare
	}
	return strings.Replace(message, placed, bare, 1)
}

// add takes in the calls of an evaluation error that the errors before it wrap. It reports whether they are of a
// module that the last of the calls known so far was loading.
func (c *chain) add(stack starlark.CallStack) (load bool) {
	inner := make([]Frame, len(stack))
	for i, call := range stack {
		inner[i] = Frame{File: call.Pos.Filename(), Line: int(call.Pos.Line), Col: int(call.Pos.Col), Function: call.Name}
	}
	known := c.frames[c.thread:]
	if len(inner) >= len(known) && slices.Equal(inner[:len(known)], known) {
		// The same thread, seen from further inside: a builtin that called a function wrapped its error.
		c.frames = append(c.frames[:c.thread], inner...)
		return false
	}
	load = len(inner) > 0 && inner[0].Function == toplevel && known[len(known)-1].Function == toplevel
	if load {
		c.frames[len(c.frames)-1].Loads = true
	}
	c.thread = len(c.frames)
	c.frames = append(c.frames, inner...)
	return load
}

// shown returns the frames that have a place worth showing.
func (c *chain) shown(message string) []Frame {
	frames := c.frames
	if n := len(frames); n > 0 && strings.HasPrefix(message, "function "+frames[n-1].Function+" ") {
		// Wrong arguments are found when the function has been entered, but the mistake is in the call.
		frames = frames[:n-1]
	}
	var shown []Frame
	for _, f := range frames {
		if f.File == builtinFile || f.File == "<invalid>" {
			continue
		}
		if f.Function == toplevel {
			f.Function = ""
		}
		shown = append(shown, f)
	}
	return shown
}
