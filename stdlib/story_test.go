package stdlib_test

import (
	"fmt"
	"strings"

	"github.com/infrarun/infrarun/runtime/events"
)

// story is the events of a run as lines of text.
type story struct{ lines []string }

// Handle implements events.Sink.
func (s *story) Handle(e events.Event) {
	switch e.Kind {
	case events.StepStarted:
		s.say("step %s %d/%d: %s", e.Step.Name, e.Step.Index, e.Step.Total, e.Step.Title)
	case events.StepFinished:
		if e.Error != "" {
			s.say("step %s failed: %s", e.Step.Name, e.Error)
		}
	case events.Log:
		s.say("%s %s", e.Level, e.Text)
	case events.Assumed:
		s.say("assumed %s", e.Text)
	case events.Checked:
		c := e.Check
		s.say("check %s %s: ok=%v weight=%v required=%v %s", c.Group, c.Name, c.OK, c.Weight, c.Required, strings.TrimSpace(c.Detail+" "+c.Hint))
	case events.Scored:
		s.say("score %.1f of %v: ok=%v %s", e.Score.Percent, e.Score.Threshold, e.Score.OK, e.Score.Detail)
	case events.Facts:
		s.say("facts %s", e.Facts.Title)
		for _, row := range e.Facts.Rows {
			s.say("  %s", strings.Join(row, " | "))
		}
	case events.ChangeFinished:
		s.say("%s %s %s", e.Change.Status, e.Change.Call, e.Change.Target)
	case events.RunFinished:
		s.say("%s", e.Outcome.Result)
		if e.Outcome.Error != "" {
			first, _, _ := strings.Cut(e.Outcome.Error, "\n")
			s.say("%s", first)
		}
	}
}

// Close implements events.Sink.
func (s *story) Close() error { return nil }

func (s *story) say(format string, args ...any) {
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		s.lines = append(s.lines, line)
	}
}
