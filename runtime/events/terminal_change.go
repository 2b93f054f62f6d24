package events

import (
	"slices"
	"strings"
)

func (b *block) changeStarted(e Event) {
	if e.Change == nil {
		return
	}
	b.tails.forget(*e.Change)
	b.running = append(b.running, *e.Change)
	b.last = ""
}

// changeFinished shows what a preview would do, and in a run what failed or was refused; in verbose
// mode everything.
func (t *Terminal) changeFinished(b *block, e Event) {
	c := e.Change
	if c == nil {
		return
	}
	b.running = slices.DeleteFunc(b.running, func(r Change) bool {
		return r.Call == c.Call && r.Target == c.Target && (r.ID == c.ID || r.ID == 0)
	})
	b.bar, b.last = nil, ""
	bad := c.Status == Failed || c.Status == Denied
	switch {
	case c.Status == Would, c.Status == Done:
		b.changes++
	case bad:
		b.failed = true
	}
	if bad || t.verbosity > 0 || t.verbosity == 0 && c.Status == Would {
		t.detail(b, t.changeLines(*c, e)...)
	}
	if bad {
		t.detail(b, t.tail(b, *c)...)
	}
}

// changeLines are a change in full: sign, call, target, summary, undo class; what is assumed, what
// failed and the diff below.
func (t *Terminal) changeLines(c Change, e Event) []string {
	head := t.signed(c) + " " + t.paint.bold(SanitizeLine(c.Call)) + " " + SanitizeLine(c.Target)
	if c.Summary != "" {
		head += "  " + SanitizeLine(c.Summary)
	}
	if c.Status == Denied {
		head += "  " + t.paint.red("denied")
	}
	if undo := undoText(c); undo != "" && c.Status != Unchanged {
		paint := t.paint.dim
		if c.Undo == "none" {
			paint = t.paint.yellow
		}
		head += "  " + paint(SanitizeLine(undo))
	}
	lines := []string{head}
	if e.Error != "" {
		lines = append(lines, "    "+t.paint.red(firstLine(e.Error)))
	}
	if c.Assumed != "" {
		lines = append(lines, "    "+t.paint.yellow("assumed: "+SanitizeLine(c.Assumed)))
	}
	for _, line := range textLines(c.Diff) {
		lines = append(lines, "    "+t.diffPaint(line)(line))
	}
	return lines
}

func (t *Terminal) signed(c Change) string {
	s := sign(c)
	switch s {
	case "+":
		return t.paint.green(s)
	case "~":
		return t.paint.yellow(s)
	case "=":
		return t.paint.dim(s)
	}
	return t.paint.red(s)
}

// diffPaint is the colour of a line of a unified diff.
func (t *Terminal) diffPaint(line string) func(string) string {
	switch {
	case strings.HasPrefix(line, "+++"), strings.HasPrefix(line, "---"):
		return t.paint.dim
	case strings.HasPrefix(line, "+"):
		return t.paint.green
	case strings.HasPrefix(line, "-"):
		return t.paint.red
	case strings.HasPrefix(line, "@@"):
		return t.paint.cyan
	}
	return t.paint.plain
}

// assume remembers what a preview took for granted, for the end, and shows it at its step unless the
// change or check that it belongs to does.
func (t *Terminal) assume(b *block, e Event) {
	text, ok := assumption(e)
	if !ok {
		return
	}
	text = SanitizeLine(text)
	t.assumed = append(t.assumed, text)
	if e.Kind == Assumed && t.verbosity >= 0 {
		t.detail(b, t.paint.yellow("? assumed: "+text))
	}
}
