package events

import (
	"fmt"
	"strings"
)

// What the terminal, the log and the report say in the same words.

// heading is a step's place and title: "[3/10] Preflight checks".
func heading(s Step) string {
	title := s.Title
	if title == "" {
		title = s.Name
	}
	title = SanitizeLine(title)
	switch {
	case s.Index == 0:
		return title
	case s.Total == 0:
		return fmt.Sprintf("[%d] %s", s.Index, title)
	}
	return fmt.Sprintf("[%d/%d] %s", s.Index, s.Total, title)
}

// undoText is a change's undo class: "undo: compensating, starts the old process".
func undoText(c Change) string {
	if c.Undo == "" {
		return ""
	}
	text := "undo: " + c.Undo
	if c.UndoNote != "" {
		text += ", " + c.UndoNote
	}
	return text
}

// checkText is a check in plain words, "ok health/console: 200 in 12 ms", and the further lines of its
// detail and hint.
func checkText(c Check) (text string, more []string) {
	text = checkWord(c) + " " + c.Group + "/" + c.Name
	if lines := textLines(c.Detail); len(lines) > 0 {
		text, more = text+": "+lines[0], lines[1:]
	}
	if checkWord(c) == "failed" && c.Hint != "" {
		more = append(more, textLines("hint: "+c.Hint)...)
	}
	return text, more
}

func checkWord(c Check) string {
	switch {
	case c.Assumed:
		return "assumed"
	case c.OK:
		return "ok"
	}
	return "failed"
}

// scoreText is a score on one line: "score 62.5 %, needs 75 %: failed, console is required".
func scoreText(s Score) string {
	verdict := "ok"
	if !s.OK {
		verdict = "failed"
	}
	text := fmt.Sprintf("score %s, needs %s: %s", formatPercent(s.Percent), formatPercent(s.Threshold), verdict)
	if s.Detail != "" {
		text += ", " + s.Detail
	}
	return text
}

// leftLines names what could not be put back and why, one line each.
func leftLines(left []Left) []string {
	var lines []string
	for _, l := range left {
		lines = append(lines, SanitizeLine(l.Call+" "+l.Target+": "+l.Error))
	}
	return lines
}

// keptLines says a line each what a rollback left on purpose, and how to remove it.
func keptLines(kept []Kept) []string {
	var lines []string
	for _, k := range kept {
		line := k.What
		if k.Remove != "" {
			line += "; to remove: " + k.Remove
		}
		lines = append(lines, SanitizeLine(line))
	}
	return lines
}

// at is a position in parentheses, nothing if there is none.
func at(position string) string {
	if position == "" {
		return ""
	}
	return " (" + position + ")"
}

// assumption is what an event says a preview took for granted. Each such event is one of those that
// [Outcome.Assumed] counts.
func assumption(e Event) (text string, ok bool) {
	switch {
	case e.Kind == Assumed:
		return e.Text + at(e.Position), true
	case e.Kind == ChangeFinished && e.Change != nil && e.Change.Assumed != "":
		return fmt.Sprintf("%s %s: %s", e.Change.Call, e.Change.Target, e.Change.Assumed) + at(e.Change.Position), true
	case e.Kind == Checked && e.Check != nil && e.Check.Assumed:
		return fmt.Sprintf("check %s/%s", e.Check.Group, e.Check.Name), true
	}
	return "", false
}

// sign is what a change does in a sign: + create, ~ change, - remove, = nothing. The door knows no
// such classes, so the summary's first word decides; a wrong guess costs a sign, no truth.
func sign(c Change) string {
	switch c.Status {
	case Unchanged:
		return "="
	case Failed, Denied:
		return "✗"
	}
	word, _, _ := strings.Cut(c.Summary, " ")
	switch strings.Trim(strings.ToLower(word), ",:;.") {
	case "create", "add", "install", "clone", "new", "make":
		return "+"
	case "remove", "delete", "uninstall":
		return "-"
	}
	return "~"
}
