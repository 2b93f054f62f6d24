package events

import (
	"io"
	"slices"
	"sync"
	"time"
)

// TerminalOptions says where and how a [Terminal] writes.
type TerminalOptions struct {
	Out       io.Writer
	Color     bool       // use colours
	Live      bool       // Out is a terminal: show what is running, redrawn by control codes
	Width     func() int // the terminal's width in cells, asked at every drawing; nil or 0: 80
	Verbosity int        // -1: only failures and the end; 0; 1: every change and every line of output
}

// Terminal tells a run to a person: one line a step, and below it what is worth knowing. Where it can
// redraw, the steps that are running stand below everything else, with what they are doing; where it
// cannot, it writes the same lines without them.
//
// A step's details are held back until it has ended, so that steps that run side by side do not
// interleave. When a person is to be asked (Suspend), and in verbose mode, they come at once.
type Terminal struct {
	mu        sync.Mutex
	screen    screen
	paint     palette
	verbosity int
	now       func() time.Time

	mode     Mode
	steps    []*block // running, in order of their start
	loose    block    // what belongs to no running step
	above    *block   // whose lines were printed last
	assumed  []string
	asked    bool // a person answered on this terminal
	rollback *undoing
	frame    int // of the spinner

	stop func()
}

// NewTerminal returns a sink for a person. Where it is live it draws by itself until Close.
func NewTerminal(opts TerminalOptions) *Terminal {
	t := newTerminal(opts, time.Now)
	if t.screen.live {
		ticker := time.NewTicker(100 * time.Millisecond)
		t.spin(ticker.C, ticker.Stop)
	}
	return t
}

func newTerminal(opts TerminalOptions, now func() time.Time) *Terminal {
	return &Terminal{
		screen:    screen{out: opts.Out, live: opts.Live && opts.Verbosity >= 0, width: opts.Width},
		paint:     newPalette(opts.Color),
		verbosity: opts.Verbosity,
		now:       now,
	}
}

// Handle implements [Sink].
func (t *Terminal) Handle(e Event) {
	e = redacted(e, Sanitize)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.handle(e)
	// What only changes the region waits for the next tick: a command may print faster than a
	// terminal draws.
	if t.screen.pending() || e.Kind == StepStarted {
		t.screen.write(t.region())
	}
}

func (t *Terminal) handle(e Event) {
	b := t.block(e.Step)
	switch e.Kind {
	case RunStarted:
		t.runStarted(e)
	case StepStarted:
		t.stepStarted(e)
	case StepFinished:
		t.stepFinished(b, e)
	case ChangeStarted:
		b.changeStarted(e)
	case ChangeFinished:
		t.changeFinished(b, e)
	case Output:
		t.output(b, e)
	case Log:
		t.log(b, e)
	case Progress:
		t.progress(b, e)
	case Checked:
		t.checked(b, e)
	case Scored:
		t.scored(b, e)
	case Facts:
		t.facts(b, e)
	case Question:
		t.question(b, e)
	case RollbackStarted:
		t.rollbackStarted(e)
	case Undone:
		t.undone(e)
	case RollbackFinished:
		t.rollbackFinished(e)
	case RunFinished:
		t.runFinished(e)
	}
	t.assume(b, e)
}

// Suspend leaves the terminal to the caller, who wants to ask a person: what the question is about is
// on the screen, nothing moves, and what happens meanwhile is held back until Resume.
func (t *Terminal) Suspend() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, b := range t.steps {
		t.show(b)
	}
	t.asked = true
	t.screen.write(nil)
	t.screen.paused++
}

// Resume takes the terminal back. Every Suspend needs one.
func (t *Terminal) Resume() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.screen.paused > 0 {
		t.screen.paused--
	}
	t.screen.write(t.region())
}

// Close stops the drawing, leaves the cursor below the last line and returns the first write error.
func (t *Terminal) Close() error {
	if t.stop != nil {
		t.stop() // waits for a drawing that is under way, so without the lock
		t.stop = nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.screen.paused = 0
	t.screen.breakOpen()
	t.screen.write(nil)
	return t.screen.err
}

// block returns the state of a running step, or where everything goes that belongs to none.
func (t *Terminal) block(s *Step) *block {
	if s != nil {
		i := slices.IndexFunc(t.steps, func(b *block) bool { return b.is(*s) })
		if i >= 0 {
			return t.steps[i]
		}
	}
	return &t.loose
}

// detail adds lines below a step's heading.
func (t *Terminal) detail(b *block, lines ...string) {
	if b == &t.loose {
		for _, line := range lines {
			t.screen.line(line)
		}
		t.above = nil
		return
	}
	for _, line := range lines {
		b.waiting = append(b.waiting, "    "+line)
	}
	if t.verbosity > 0 {
		t.show(b)
	}
}

// show prints a step's details while it runs, below its heading.
func (t *Terminal) show(b *block) {
	if t.above != b {
		t.screen.end(t.heading(b.step), "")
		t.above = b
	}
	for _, line := range b.waiting {
		t.screen.line(line)
	}
	b.waiting, b.shown = nil, true
}
