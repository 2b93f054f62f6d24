package events

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// LogFile writes deploy.log: everything that happened, for a person with grep.
//
//	2026-11-22T21:44:01.123Z info  backup change.finished done fs.copy_tree /srv/app: copy, 12 files
//	time                     level step   kind            text
//
// Every line has the same four columns; the step is "-" outside of one. What has several lines, such
// as a diff or a diagnostic, takes one such line each, marked with "|". Every line is sanitized as it is
// written: no text can forge one.
type LogFile struct {
	out  io.Writer
	mode Mode
	err  error
}

// NewLog returns a sink that writes to w. It does not close w.
func NewLog(w io.Writer) *LogFile { return &LogFile{out: w} }

// Handle implements [Sink]. A write error is kept for Close; nothing follows half a line.
func (l *LogFile) Handle(e Event) {
	if l.err != nil {
		return
	}
	step := "-"
	if e.Step != nil && e.Step.Name != "" {
		step = strings.Join(strings.Fields(SanitizeLine(e.Step.Name)), "_")
	}
	prefix := fmt.Sprintf("%s %-5s %s %s ", e.Time.Format("2006-01-02T15:04:05.000Z07:00"), logLevel(e), step, e.Kind)
	if e.Run != nil {
		l.mode = e.Run.Mode
	}
	text, more := logText(e, l.mode)
	var b strings.Builder
	b.WriteString(strings.TrimRight(prefix+SanitizeLine(text), " ") + "\n")
	for _, line := range more {
		b.WriteString(prefix + "| " + SanitizeLine(line) + "\n")
	}
	if _, err := io.WriteString(l.out, b.String()); err != nil {
		l.err = fmt.Errorf("write the log: %w", err)
	}
}

// Close returns the first write error.
func (l *LogFile) Close() error { return l.err }

// logLevel is the event's own level, or what its kind and end amount to.
func logLevel(e Event) string {
	switch e.Level {
	case "debug", "info", "warn", "error": // any other text is no level: it could forge the columns
		return e.Level
	}
	switch {
	case e.Error != "",
		e.Change != nil && (e.Change.Status == Failed || e.Change.Status == Denied),
		e.Outcome != nil && !good(e.Outcome.Result),
		e.Score != nil && !e.Score.OK,
		e.Check != nil && !e.Check.OK && !e.Check.Assumed,
		len(e.Left) > 0:
		return "error"
	case e.Kind == Progress, e.Kind == Output, e.Kind == ChangeStarted:
		return "debug"
	case e.Kind == RollbackStarted:
		return "warn"
	}
	return "info"
}

// logText returns an event's line and the lines below it.
func logText(e Event, mode Mode) (text string, more []string) {
	switch {
	case e.Kind == RunStarted && e.Run != nil:
		return logRun(*e.Run)
	case e.Kind == StepStarted && e.Step != nil:
		return heading(*e.Step), nil
	case e.Kind == StepFinished && e.Step != nil:
		return logEnd(e, heading(*e.Step))
	case e.Change != nil:
		return logChange(e)
	case e.Kind == Output:
		return strings.TrimSpace(e.Stream+" "+e.Source) + ": " + e.Text, nil
	case e.Progress != nil:
		return e.Progress.What + " " + amount(*e.Progress), nil
	case e.Check != nil:
		return checkText(*e.Check)
	case e.Score != nil:
		return e.Score.Group + " " + scoreText(*e.Score), nil
	case e.Facts != nil:
		return e.Facts.Title, tableLines(*e.Facts, func(s string) string { return s })
	case e.Kind == Question:
		return e.Text + " answer: " + e.Answer, nil
	case e.Kind == RollbackStarted:
		return strings.TrimSpace(count(e.Total, "change") + " to undo " + e.Text), nil
	case e.Kind == RollbackFinished:
		return count(len(e.Left), "change") + " left", leftLines(e.Left)
	case e.Outcome != nil:
		return logOutcome(*e.Outcome, mode)
	}
	lines := textLines(e.Text + at(e.Position))
	if len(lines) == 0 {
		return "", nil
	}
	return lines[0], lines[1:]
}

func logRun(r Run) (text string, more []string) {
	text = fmt.Sprintf("mode=%s id=%s recipe=%q source=%s site=%q version=%s dir=%q", r.Mode, r.ID, r.Recipe, r.Source, r.Site, r.Version, r.Dir)
	for _, name := range slices.Sorted(maps.Keys(r.Params)) {
		more = append(more, fmt.Sprintf("param %s=%q", name, r.Params[name]))
	}
	return text, more
}

// logEnd adds how it ended: "ok 0.4 s" or the error, whose further lines go below.
func logEnd(e Event, what string) (text string, more []string) {
	if e.Error == "" {
		return what + " ok " + FormatDuration(e.Duration), nil
	}
	lines := textLines(e.Error)
	return what + " failed " + FormatDuration(e.Duration) + ": " + firstLine(e.Error), lines[min(1, len(lines)):]
}

func logChange(e Event) (text string, more []string) {
	c := e.Change
	if e.Kind == ChangeStarted {
		return c.Call + " " + c.Target, nil
	}
	if e.Kind == Undone && c.Status == Unchanged {
		return c.Call + " " + c.Target + " " + c.Summary, nil
	}
	if e.Kind == Undone {
		return logEnd(e, c.Call+" "+c.Target)
	}
	text = fmt.Sprintf("%s %s %s: %s", c.Status, c.Call, c.Target, c.Summary)
	if undo := undoText(*c); undo != "" {
		text += " (" + undo + ")"
	}
	text += " " + FormatDuration(e.Duration) + at(c.Position)
	if c.Assumed != "" {
		more = append(more, "assumed: "+c.Assumed)
	}
	if e.Error != "" {
		more = append(more, textLines("error: "+e.Error)...)
	}
	return text, append(more, textLines(c.Diff)...)
}

func logOutcome(o Outcome, mode Mode) (text string, more []string) {
	text = fmt.Sprintf("result=%s exit=%d changes=%d unchanged=%d assumed=%d undone=%d left=%d: %s %s",
		o.Result, o.ExitCode, o.Changes, o.Unchanged, o.Assumed, o.Undone, len(o.Left), Sentence(mode, o), ending(o))
	more = textLines(o.Error)
	for _, line := range textLines(o.Trace) {
		more = append(more, "trace: "+line)
	}
	for _, line := range leftLines(o.Left) {
		more = append(more, "left: "+line)
	}
	for _, line := range keptLines(o.Kept) {
		more = append(more, "kept: "+line)
	}
	for _, command := range o.Next {
		more = append(more, "next: "+command)
	}
	return text, more
}
