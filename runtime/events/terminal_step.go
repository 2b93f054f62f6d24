package events

import (
	"slices"
	"strings"
	"time"
)

// block is what a terminal knows of a step that is running.
type block struct {
	step    Step
	started time.Time
	waiting []string // lines to stand below the heading
	shown   bool     // the heading was printed before the step's end
	changes int
	failed  bool   // what failed is among the lines: the step's error need not be
	group   string // of the last check
	running []Change
	bar     *Bar
	last    string // the last thing that was printed or said
	tails   tails
}

func (b *block) is(s Step) bool { return b.step.Name == s.Name && b.step.Index == s.Index }

// heading is a step's line up to where its result goes.
func (t *Terminal) heading(s Step) string {
	text := heading(s)
	if place, title, found := strings.Cut(text, "] "); found && s.Index > 0 {
		text = t.paint.dim(place+"]") + " " + title
	}
	return text + " …"
}

func (t *Terminal) stepStarted(e Event) {
	if e.Step == nil {
		return
	}
	b := &block{step: *e.Step, started: e.Time}
	t.steps = append(t.steps, b)
	if t.verbosity >= 0 {
		t.screen.begin(t.heading(b.step))
		t.above = nil
	}
}

func (t *Terminal) stepFinished(b *block, e Event) {
	if b == &t.loose {
		return // it never began, or was closed when the rollback began
	}
	if e.Error == "" {
		t.closeStep(b, t.paint.green("ok"), e.spent(b.started))
		return
	}
	if !b.failed {
		t.detail(b, t.paint.red("✗ ")+firstLine(e.Error))
		t.detail(b, t.tail(b, Change{})...)
	}
	t.closeStep(b, t.paint.red("failed"), e.spent(b.started))
}

// closeStep writes a step's last word: "[3/10] Files … ok 3 changes 1.2 s".
func (t *Terminal) closeStep(b *block, word string, spent time.Duration) {
	t.steps = slices.DeleteFunc(t.steps, func(other *block) bool { return other == b })
	if t.verbosity < 0 && len(b.waiting) == 0 && !b.failed {
		return
	}
	if b.shown && len(b.waiting) > 0 {
		t.show(b)
	}
	result := " " + word
	if b.changes > 0 {
		result += " " + count(b.changes, "change")
	}
	t.screen.end(t.heading(b.step), result+t.paint.dim(" "+FormatDuration(spent)))
	for _, line := range b.waiting {
		t.screen.line(line)
	}
	t.above = nil
}

// stopSteps closes the steps that a signal, a lock or a rollback left open.
func (t *Terminal) stopSteps(at time.Time) {
	for _, b := range slices.Clone(t.steps) {
		t.closeStep(b, t.paint.yellow("stopped"), at.Sub(b.started))
	}
}

func (t *Terminal) output(b *block, e Event) {
	line := SanitizeLine(e.Text)
	b.last = line
	b.tails.add(e.Source, line)
	if t.verbosity > 0 {
		t.detail(b, t.paint.dim(line))
	}
}

// tail is the end of what a failed change printed, unless it is on the screen already.
func (t *Terminal) tail(b *block, c Change) []string {
	source, lines := b.tails.of(c)
	if len(lines) == 0 || t.verbosity > 0 {
		return nil
	}
	title := "last output"
	if source != "" {
		title += " of " + SanitizeLine(source)
	}
	shown := []string{"    " + t.paint.dim(title+":")}
	for _, line := range lines {
		shown = append(shown, "    "+t.paint.dim("│ ")+line)
	}
	return shown
}

func (t *Terminal) log(b *block, e Event) {
	b.last = firstLine(e.Text)
	lines := textLines(e.Text)
	if len(lines) == 0 {
		return
	}
	switch {
	case e.Level == "error":
		lines[0] = t.paint.red("✗ " + lines[0])
	case t.verbosity < 0, e.Level == "debug" && t.verbosity < 1:
		return
	case e.Level == "warn":
		lines[0] = t.paint.yellow("! " + lines[0])
	case e.Level == "debug":
		for i := range lines {
			lines[i] = t.paint.dim(lines[i])
		}
	}
	t.detail(b, lines...)
}

func (t *Terminal) progress(b *block, e Event) {
	b.bar = e.Progress
	if e.Progress == nil || !e.Progress.Done {
		return
	}
	b.bar = nil
	if t.verbosity > 0 {
		t.detail(b, t.paint.dim(SanitizeLine(e.Progress.What)+" "+amount(*e.Progress)))
	}
}

// facts shows a table.
func (t *Terminal) facts(b *block, e Event) {
	if e.Facts == nil || t.verbosity < 0 {
		return
	}
	if e.Facts.Title != "" {
		t.detail(b, t.paint.bold(SanitizeLine(e.Facts.Title)))
	}
	for _, line := range tableLines(*e.Facts, t.paint.dim) {
		t.detail(b, "  "+line)
	}
}

// question shows what was answered for a person, by --yes or for want of a terminal. An answer that
// was typed is on the screen already.
func (t *Terminal) question(b *block, e Event) {
	if !t.asked && t.verbosity >= 0 {
		t.detail(b, SanitizeLine(e.Text)+" "+t.paint.bold(SanitizeLine(e.Answer)))
	}
	t.asked = false
}
