package events

import "strings"

// checked shows a check: all of them, a failed one with what to do.
func (t *Terminal) checked(b *block, e Event) {
	c := e.Check
	if c == nil {
		return
	}
	failed := !c.OK && !c.Assumed
	b.last, b.failed = c.Name, b.failed || failed
	if t.verbosity < 0 && !failed {
		return
	}
	if b.group != c.Group && t.verbosity >= 0 {
		b.group = c.Group
		if !strings.Contains(strings.ToLower(b.step.Title), strings.ToLower(c.Group)) {
			t.detail(b, SanitizeLine(c.Group)+" checks")
		}
	}
	t.detail(b, t.checkLines(*c)...)
}

// checkLines are a check's mark, name and detail; a failed one's hint below.
func (t *Terminal) checkLines(c Check) []string {
	head := map[string]string{
		"ok":      t.paint.green("✓ "),
		"failed":  t.paint.red("✗ "),
		"assumed": t.paint.yellow("? "),
	}[checkWord(c)] + SanitizeLine(c.Name)
	if c.Assumed {
		head += t.paint.yellow("  assumed")
	}
	var lines []string
	for i, line := range textLines(c.Detail) {
		if i == 0 {
			head += "  " + line
			continue
		}
		lines = append(lines, "    "+line)
	}
	lines = append([]string{head}, lines...)
	if checkWord(c) == "failed" {
		for i, line := range textLines(c.Hint) {
			label := t.paint.cyan("hint: ")
			if i > 0 {
				label = "      "
			}
			lines = append(lines, "    "+label+line)
		}
	}
	return lines
}

func (t *Terminal) scored(b *block, e Event) {
	s := e.Score
	if s == nil || t.verbosity < 0 && s.OK {
		return
	}
	b.failed = b.failed || !s.OK
	paint := t.paint.green
	if !s.OK {
		paint = t.paint.red
	}
	t.detail(b, paint(SanitizeLine(scoreText(*s))))
}
