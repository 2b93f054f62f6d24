package events

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"
)

// A question has the terminal for itself: what it is about stands above it, and what other steps say
// waits for the answer, which the question's event does not repeat.
func TestSuspend(t *testing.T) {
	for _, live := range []bool{true, false} {
		t.Run(fmt.Sprint("live ", live), func(t *testing.T) {
			v := newVT(t, 80)
			term := newTerminal(TerminalOptions{Out: v, Live: live}, time.Now)
			plan := &Step{Name: "plan", Title: "Plan", Index: 1, Total: 2}
			term.Handle(Event{Kind: StepStarted, Step: plan})
			term.Handle(Event{Kind: Facts, Step: plan, Facts: &Table{Title: "Will deploy", Rows: [][]string{{"gate"}}}})
			term.Suspend()
			_, _ = io.WriteString(v, "Go on? [y/N] ")
			term.Handle(Event{Kind: Log, Level: "warn", Text: "of another step"})
			redraw(term)
			if got, want := v.text(), "[1/2] Plan …\n    Will deploy\n      gate\nGo on? [y/N] "; got != want {
				t.Errorf("while the question is open the screen shows\n%q, want\n%q", got, want)
			}
			_, _ = io.WriteString(v, "y\n")
			term.Resume()
			term.Handle(Event{Kind: Question, Step: plan, Text: "Go on?", Answer: "yes"})
			term.Handle(Event{Kind: Log, Step: plan, Level: "info", Text: "going on"})
			term.Handle(Event{Kind: StepFinished, Step: plan, Duration: time.Second})
			if err := term.Close(); err != nil {
				t.Fatal(err)
			}
			want := "[1/2] Plan …\n    Will deploy\n      gate\nGo on? [y/N] y\n! of another step\n[1/2] Plan …\n    going on\n[1/2] Plan … ok 1.0 s\n"
			if got := v.text(); got != want {
				t.Errorf("in the end the screen shows\n%q, want\n%q", got, want)
			}
		})
	}
}

// A step's line is there as soon as it starts, also in a file that somebody follows.
func TestPlainShowsWhatIsRunning(t *testing.T) {
	var out bytes.Buffer
	term := newTerminal(TerminalOptions{Out: &out}, time.Now)
	term.Handle(Event{Kind: StepStarted, Step: &Step{Name: "x", Title: "Wait for health", Index: 8, Total: 10}})
	if got := out.String(); got != "[8/10] Wait for health …" {
		t.Errorf("got %q", got)
	}
	if err := term.Close(); err != nil || !strings.HasSuffix(out.String(), "…\n") {
		t.Errorf("a run that broke off leaves %q, %v", out.String(), err)
	}
}

// No text of any field can send a control code, whatever the kind and wherever it is shown.
func TestHostileText(t *testing.T) {
	const hostile = "\x1b[2J\x1b]0;owned\a\rok\b\u009b2J\u202e\x9b\nsecond\x07"
	for _, s := range streams() {
		for _, verbosity := range []int{-1, 0, 1} {
			var file bytes.Buffer
			v := newVT(t, 100) // fails the test on any control code but the sink's own
			live := newTerminal(TerminalOptions{Out: v, Live: true, Color: true, Verbosity: verbosity}, time.Now)
			plain := newTerminal(TerminalOptions{Out: &file, Verbosity: verbosity}, time.Now)
			log := NewLog(&file)
			for _, e := range s.events {
				e = redacted(e, func(text string) string { return text + hostile })
				for _, sink := range []Sink{live, plain, log} {
					sink.Handle(e)
				}
				redraw(live)
			}
			if bad := regexp.MustCompile("[\x00-\x08\x0b-\x1f\x7f]|\u009b|\u202e").FindString(file.String()); bad != "" {
				t.Errorf("%s: %q reached a file", s.name, bad)
			}
			for _, seen := range []string{v.text(), file.String()} {
				if strings.Contains(seen, "\u009b") || strings.Contains(seen, "\u202e") {
					t.Errorf("%s: a character that acts reached the screen", s.name)
				}
			}
		}
	}
}

// An event of which every field is set, or none, breaks no sink.
func TestOddEvents(t *testing.T) {
	var full Event
	fill(reflect.ValueOf(&full).Elem(), "x")
	for _, kind := range kinds(t) {
		for _, e := range []Event{{Kind: kind}, full} {
			e.Kind = kind
			var p, q page
			for _, s := range []Sink{
				newTerminal(TerminalOptions{Out: io.Discard, Live: true, Verbosity: 1}, time.Now),
				NewLog(io.Discard), NewJSON(io.Discard), NewReport(p.open), NewMetrics(q.open),
			} {
				play(t, s, []Event{e, e})
			}
		}
	}
}

// Colours are on where they are asked for, whatever this process's standard output is.
func TestColour(t *testing.T) {
	for _, on := range []bool{true, false} {
		var out bytes.Buffer
		play(t, NewTerminal(TerminalOptions{Out: &out, Color: on}), rolledBackStream().events)
		if got := strings.Contains(out.String(), "\x1b["); got != on {
			t.Errorf("colour %v: control codes %v", on, got)
		}
		if on && Sanitize(out.String()) != plainTerminal(t, rolledBackStream().events, 0) {
			t.Error("colour changes the text")
		}
	}
}

// brokenPipe fails after a number of writes.
type brokenPipe struct{ left int }

var errPipe = errors.New("broken pipe")

func (b *brokenPipe) Write(p []byte) (int, error) {
	if b.left--; b.left < 0 {
		return 0, errPipe
	}
	return len(p), nil
}

func TestWriteErrorsAreTold(t *testing.T) {
	for name, sink := range map[string]func(io.Writer) Sink{
		"terminal": func(w io.Writer) Sink { return NewTerminal(TerminalOptions{Out: w}) },
		"log":      func(w io.Writer) Sink { return NewLog(w) },
		"json":     func(w io.Writer) Sink { return NewJSON(w) },
	} {
		s := sink(&brokenPipe{left: 2})
		for _, e := range successStream().events {
			s.Handle(e)
		}
		if err := s.Close(); !errors.Is(err, errPipe) {
			t.Errorf("%s: close: %v", name, err)
		}
	}
}
