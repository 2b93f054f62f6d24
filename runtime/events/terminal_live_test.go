package events

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// liveTerminal is a terminal sink on a screen, whose clock is that of the events.
func liveTerminal(t *testing.T, columns, verbosity int) (*Terminal, *vt, *time.Time) {
	screen, now := newVT(t, columns), new(time.Time)
	term := newTerminal(TerminalOptions{Out: screen, Color: true, Live: true, Verbosity: verbosity,
		Width: func() int { return columns }}, func() time.Time { return *now })
	return term, screen, now
}

// redraw does what a tick does.
func redraw(term *Terminal) {
	term.mu.Lock()
	defer term.mu.Unlock()
	term.frame++
	term.screen.write(term.region())
}

// Whatever was redrawn in between, and however narrow the window: in the end a terminal shows the
// same lines as a file.
func TestLiveEndsAsPlain(t *testing.T) {
	for _, s := range streams() {
		for _, columns := range []int{20, 80, 200} {
			for _, verbosity := range []int{-1, 0, 1} {
				t.Run(fmt.Sprintf("%s/%d/%d", s.name, columns, verbosity), func(t *testing.T) {
					term, screen, now := liveTerminal(t, columns, verbosity)
					for _, e := range s.events {
						*now = e.Time
						term.Handle(e)
						redraw(term)
						redraw(term)
					}
					if err := term.Close(); err != nil {
						t.Fatal(err)
					}
					want := plainTerminal(t, s.events, verbosity)
					if s.name == "parallel" { // a file shows that the first step began, before the second one's lines
						want = strings.Replace(want, "[1/2] Build the back end …\n", "", 1)
					}
					if got := screen.text(); got != want {
						t.Errorf("the screen shows\n%s\na file\n%s", got, want)
					}
				})
			}
		}
	}
}

// What is running now is on the screen while it runs.
func TestLiveRegion(t *testing.T) {
	term, screen, now := liveTerminal(t, 60, 0)
	*now = time.Unix(100, 0)
	step := &Step{Name: "code", Title: "Code", Index: 7, Total: 10}
	lastLine := func() string {
		redraw(term)
		text := screen.text()
		return text[strings.LastIndex(text, "\n")+1:]
	}
	term.Handle(Event{Kind: StepStarted, Step: step, Time: *now})
	*now = now.Add(12 * time.Second)
	for _, c := range []struct {
		e    Event
		want string
	}{
		{Event{Kind: Log, Level: "info", Text: "fetching\nall"}, "[7/10] Code ⠙ 12 s  fetching"},
		{Event{Kind: ChangeStarted, Change: &Change{Call: "git.clone", Target: "/srv/app"}}, "[7/10] Code ⠹ 12 s  git.clone /srv/app"},
		{Event{Kind: Output, Text: "remote: counting\tobjects"}, "[7/10] Code ⠸ 12 s  git.clone /srv/app  remote: counting o…"},
		{Event{Kind: ChangeStarted, Change: &Change{Call: "npm.ci", Target: "web"}}, "[7/10] Code ⠼ 12 s  npm.ci web (+1)"},
		{Event{Kind: Progress, Progress: &Bar{What: "copy", Current: 1 << 20, Total: 2 << 20, Unit: "bytes"}},
			"[7/10] Code ⠴ 12 s  npm.ci web (+1)  copy ██████████░░░░░░…"},
		{Event{Kind: ChangeFinished, Change: &Change{Call: "npm.ci", Target: "web", Status: Done}}, "[7/10] Code ⠦ 12 s  git.clone /srv/app"},
		{Event{Kind: Progress, Progress: &Bar{What: "copy", Current: 5, Unit: "files"}}, "[7/10] Code ⠧ 12 s  git.clone /srv/app  copy  5 files"},
		{Event{Kind: Progress, Progress: &Bar{What: "copy", Current: 5, Unit: "files", Done: true}}, "[7/10] Code ⠇ 12 s  git.clone /srv/app"},
		{Event{Kind: RollbackStarted, Total: 3, Time: *now}, "⠏ Rolling back 0/3 0 ms"},
		{Event{Kind: Undone, Change: &Change{Call: "fs.write", Target: "/x"}}, "⠋ Rolling back 1/3 0 ms"},
		{Event{Kind: RollbackFinished}, ""},
		{Event{Kind: ChangeStarted, Change: &Change{Call: "fs.write", Target: "/y"}}, "⠹  fs.write /y"},
	} {
		if c.e.Kind != RollbackStarted && c.e.Kind != Undone && c.e.Kind != RollbackFinished && !strings.HasSuffix(c.want, "/y") {
			c.e.Step = step
		}
		term.Handle(c.e)
		if got := lastLine(); got != c.want {
			t.Errorf("after %s the last line is\n%q, want\n%q", c.e.Kind, got, c.want)
		}
	}
}

// Steps beyond what fits are counted, not drawn.
func TestLiveRegionIsBounded(t *testing.T) {
	term, screen, _ := liveTerminal(t, 80, 0)
	for i := range 20 {
		term.Handle(Event{Kind: StepStarted, Step: &Step{Name: fmt.Sprint(i), Title: "Step", Index: i + 1}})
	}
	redraw(term)
	if lines := strings.Split(screen.text(), "\n"); len(lines) != regionLines || lines[regionLines-1] != "… and 15 more" {
		t.Errorf("the region is %q", lines)
	}
}

// A window that was made narrower has wrapped what stands on it: all of it must go.
func TestEraseAfterResize(t *testing.T) {
	columns := 40
	var out bytes.Buffer
	s := screen{out: &out, live: true, width: func() int { return columns }}
	s.write([]string{"\x1b[1m" + strings.Repeat("x", 39) + "\x1b[22m", "short"})
	if got := out.String(); !strings.HasPrefix(got, wrapOff) || !strings.HasSuffix(got, wrapOn) {
		t.Errorf("%q may wrap where this program and the terminal disagree about a width", got)
	}
	columns = 20
	out.Reset()
	s.write(nil)
	if got, want := out.String(), "\r\x1b[2A\x1b[J"; got != want {
		t.Errorf("erased by %q, want %q: three rows", got, want)
	}
}

// The ticks draw until Close, and not after it.
func TestSpin(t *testing.T) {
	term, screen, _ := liveTerminal(t, 80, 0)
	ticks, released := make(chan time.Time), false
	term.spin(ticks, func() { released = true })
	term.Handle(Event{Kind: StepStarted, Step: &Step{Name: "x", Title: "Wait"}})
	for range 3 {
		ticks <- time.Time{}
	}
	if err := term.Close(); err != nil || !released {
		t.Fatalf("close: %v; ticker released: %v", err, released)
	}
	if term.frame != 3 || screen.text() != "" {
		t.Errorf("%d frames, then the screen shows %q", term.frame, screen.text())
	}
	select {
	case ticks <- time.Time{}:
		t.Error("still drawing after Close")
	default:
	}
	if err := term.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

// The real ticker, several emitters and a question at once: the race detector's test.
func TestLiveConcurrently(t *testing.T) {
	var out bytes.Buffer
	term := NewTerminal(TerminalOptions{Out: &out, Live: true, Color: true})
	bus := NewBus(nil, nil, term)
	done := make(chan struct{})
	for i := range 4 {
		go func() {
			defer func() { done <- struct{}{} }()
			step := &Step{Name: fmt.Sprint(i), Title: "Step", Index: i + 1, Total: 4}
			bus.Emit(Event{Kind: StepStarted, Step: step})
			for range 50 {
				bus.Emit(Event{Kind: Output, Step: step, Text: "line"})
			}
			term.Suspend()
			term.Resume()
			bus.Emit(Event{Kind: StepFinished, Step: step})
		}()
	}
	for range 4 {
		<-done
	}
	if err := bus.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(Sanitize(out.String()), "… ok"); got != 4 {
		t.Errorf("%d steps ended, want 4", got)
	}
}
