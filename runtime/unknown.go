package runtime

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

// Unknown is a value that a preview cannot know, such as the output of a command that it does not
// run. It can be handed around; any use of it stops the preview at that line of the recipe and says
// what to write instead.
//
// Starlark asks a value for its truth, text, length and items without letting it fail, and where it
// may fail often drops the error (hasattr, getattr with a default, "in"). So every use panics, and
// whoever called the recipe's function turns that back into an error. Values of different types it
// compares as unequal without asking either: a builtin therefore returns an Unknown only where a run
// gives a struct, never where it gives a string, number or bool that could be compared.
type Unknown struct {
	what string // "the output of exec.run([…])"
	hint string // what to write instead
	run  *Run   // knows where the recipe stands; nil until a builtin has returned it
}

// NewUnknown returns a value for what a preview cannot know, and the hint for whoever uses it.
func NewUnknown(what, hint string) *Unknown { return &Unknown{what: what, hint: hint} }

// Err returns the error that a use of the value is.
func (u *Unknown) Err() error {
	return &UnknownError{what: u.what, hint: u.hint, stack: u.run.callStack()}
}

// UnknownError stops a preview that would have to guess.
type UnknownError struct {
	what, hint string
	stack      starlark.CallStack // where it was used
}

func (e *UnknownError) Error() string { return e.what + " is not known in a preview" }

// Hint says what to write instead.
func (e *UnknownError) Hint() string { return e.hint }

// Unwrap returns the place.
func (e *UnknownError) Unwrap() error {
	if len(e.stack) == 0 {
		return nil
	}
	return placed(e.Error(), e.stack)
}

func (e *UnknownError) uncatchable() {}

var (
	_ starlark.HasAttrs   = (*Unknown)(nil)
	_ starlark.HasBinary  = (*Unknown)(nil)
	_ starlark.HasUnary   = (*Unknown)(nil)
	_ starlark.Comparable = (*Unknown)(nil)
	_ starlark.Sequence   = (*Unknown)(nil)
	_ starlark.Sliceable  = (*Unknown)(nil)
	_ starlark.Container  = (*Unknown)(nil)
)

// Type does not panic: a recipe may ask for it, and errors about arguments name it.
func (u *Unknown) Type() string { return "unknown" }

// Freeze implements starlark.Value; there is nothing to freeze.
func (u *Unknown) Freeze() {}

// The methods below are the uses that stop a preview.

func (u *Unknown) String() string                             { panic(u.Err()) }
func (u *Unknown) Truth() starlark.Bool                       { panic(u.Err()) }
func (u *Unknown) Hash() (uint32, error)                      { panic(u.Err()) }
func (u *Unknown) Attr(string) (starlark.Value, error)        { panic(u.Err()) }
func (u *Unknown) AttrNames() []string                        { panic(u.Err()) }
func (u *Unknown) Iterate() starlark.Iterator                 { panic(u.Err()) }
func (u *Unknown) Len() int                                   { panic(u.Err()) }
func (u *Unknown) Index(int) starlark.Value                   { panic(u.Err()) }
func (u *Unknown) Slice(_, _, _ int) starlark.Value           { panic(u.Err()) }
func (u *Unknown) Has(starlark.Value) (bool, error)           { panic(u.Err()) }
func (u *Unknown) Unary(syntax.Token) (starlark.Value, error) { panic(u.Err()) }

func (u *Unknown) Binary(syntax.Token, starlark.Value, starlark.Side) (starlark.Value, error) {
	panic(u.Err())
}

func (u *Unknown) CompareSameType(syntax.Token, starlark.Value, int) (bool, error) {
	panic(u.Err())
}

// unknownDepth is how deep unknown values are looked for in arguments and results: what is nested
// deeper, or in a cycle, is caught where it is used.
const unknownDepth = 4

// refuseUnknowns fails if an argument is, or holds, an unknown value.
func refuseUnknowns(args starlark.Tuple, kwargs []starlark.Tuple) error {
	for _, a := range args {
		if u := findUnknown(a, unknownDepth); u != nil {
			return u.Err()
		}
	}
	for _, kv := range kwargs {
		if u := findUnknown(kv[1], unknownDepth); u != nil {
			return u.Err()
		}
	}
	return nil
}

// bindUnknowns lets the unknown values in the result of a builtin know where the recipe stands.
func bindUnknowns(v starlark.Value, r *Run) {
	if p, ok := v.(*Partial); ok {
		p.rest.run = r
	}
	eachUnknown(v, unknownDepth, func(u *Unknown) bool {
		u.run = r
		return true
	})
}

func findUnknown(v starlark.Value, depth int) (found *Unknown) {
	eachUnknown(v, depth, func(u *Unknown) bool {
		found = u
		return false
	})
	return found
}

// eachUnknown visits the unknown values in v until one visit returns false.
func eachUnknown(v starlark.Value, depth int, visit func(*Unknown) bool) bool {
	if u, ok := v.(*Unknown); ok {
		return visit(u)
	}
	if depth == 0 {
		return true
	}
	switch v := v.(type) {
	case *starlark.Dict:
		for _, e := range starlark.Entries(v) {
			if !eachUnknown(e, depth-1, visit) {
				return false
			}
		}
	case *starlark.List, starlark.Tuple:
		for e := range starlark.Elements(v.(starlark.Iterable)) {
			if !eachUnknown(e, depth-1, visit) {
				return false
			}
		}
	case *starlarkstruct.Struct:
		for _, name := range v.AttrNames() {
			if e, err := v.Attr(name); err == nil && !eachUnknown(e, depth-1, visit) {
				return false
			}
		}
	}
	return true
}

// threads is the threads of a preview, innermost last. They run one at a time there.
type threads struct {
	mu   sync.Mutex
	live []*starlark.Thread
}

// enterThread notes, in a preview, that th runs; leave notes that it has ended.
func (r *Run) enterThread(th *starlark.Thread) (leave func()) {
	if r == nil || !r.preview() {
		return func() {}
	}
	s := &r.threads
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live = append(s.live, th)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.live = slices.DeleteFunc(s.live, func(other *starlark.Thread) bool { return other == th })
	}
}

// callStack is where the recipe of a preview stands. It is for the goroutine that executes it: a
// panic leaves no trace of the calls that led to it, so an unknown value asks before it panics.
func (r *Run) callStack() starlark.CallStack {
	if r == nil {
		return nil
	}
	r.threads.mu.Lock()
	defer r.threads.mu.Unlock()
	if len(r.threads.live) == 0 {
		return nil
	}
	return r.threads.live[len(r.threads.live)-1].CallStack()
}

// uncatchable marks the errors that attempt passes on: they end the run whatever the recipe does.
type uncatchable interface{ uncatchable() }

// recovered turns what a panic carried into an error. A use of an unknown value is one of the
// recipe's; anything else is one of ours.
func recovered(what string, p any) error {
	if err, ok := p.(error); ok {
		var unknown *UnknownError
		if errors.As(err, &unknown) {
			return unknown
		}
	}
	return fmt.Errorf("%s: internal error: %v (this is a bug in infrarun)", what, p)
}
