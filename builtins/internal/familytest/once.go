package familytest

import (
	"strings"

	"github.com/infrarun/infrarun/runtime/events"
)

// Once is a sink that calls a function at the first event that fits, and never again.
type Once struct {
	fits   func(events.Event) bool
	do     func()
	Called bool
}

var _ events.Sink = (*Once)(nil)

// WhenPrinted calls do when work prints a line with that text.
func WhenPrinted(text string, do func()) *Once {
	return &Once{do: do, fits: func(e events.Event) bool { return e.Kind == events.Output && strings.Contains(e.Text, text) }}
}

// WhenDone calls do when a builtin has made a change.
func WhenDone(call string, do func()) *Once {
	return &Once{do: do, fits: func(e events.Event) bool {
		return e.Kind == events.ChangeFinished && e.Change.Call == call && e.Change.Status == events.Done
	}}
}

// Handle implements events.Sink.
func (o *Once) Handle(e events.Event) {
	if !o.Called && o.fits(e) {
		o.Called = true
		o.do()
	}
}

// Close implements events.Sink.
func (o *Once) Close() error { return nil }
