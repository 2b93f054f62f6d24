package events

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// undoing is a rollback that is under way.
type undoing struct {
	started     time.Time
	total, done int
}

func (u undoing) place() string {
	if u.total == 0 {
		return fmt.Sprint(u.done)
	}
	return fmt.Sprintf("%d/%d", u.done, u.total)
}

// runStarted says what is being run, on what.
func (t *Terminal) runStarted(e Event) {
	r := e.Run
	if r == nil {
		return
	}
	t.mode = r.Mode
	if t.verbosity < 0 || t.mode == ModeLook { // what is looked at is what the operator wants to see
		return
	}
	text := map[Mode]string{ModePreview: "Preview of ", ModeRun: "Run of ", ModeRollback: "Rollback of "}[r.Mode] + t.paint.bold(SanitizeLine(r.Recipe))
	if r.Source == "embedded" {
		text += " (built in)"
	}
	if r.Site != "" {
		text += ", site " + SanitizeLine(r.Site)
	}
	if r.ID != "" {
		text += t.paint.dim(", " + SanitizeLine(r.ID))
	}
	t.detail(&t.loose, text)
	if t.verbosity > 0 {
		for _, name := range slices.Sorted(maps.Keys(r.Params)) {
			t.detail(&t.loose, t.paint.dim("  "+SanitizeLine(name+" = "+r.Params[name])))
		}
	}
}

func (t *Terminal) rollbackStarted(e Event) {
	t.stopSteps(e.Time)
	t.rollback = &undoing{started: e.Time, total: e.Total}
	if t.verbosity < 0 {
		return
	}
	text := "Rolling back " + count(e.Total, "change") + " …"
	if e.Text != "" {
		text += " " + SanitizeLine(e.Text)
	}
	t.detail(&t.loose, t.paint.yellow(text))
}

func (t *Terminal) undone(e Event) {
	if t.rollback != nil {
		t.rollback.done++
	}
	if e.Change == nil || t.verbosity < 0 && e.Error == "" {
		return
	}
	what := SanitizeLine(e.Change.Call) + " " + SanitizeLine(e.Change.Target)
	if e.Error != "" {
		t.detail(&t.loose, "    "+t.paint.red("✗")+" "+what+"  "+t.paint.red("failed: "+firstLine(e.Error)))
		return
	}
	mark := t.paint.green("✓")
	if e.Change.Status == Unchanged {
		mark = t.paint.yellow("·") // kept on purpose
	}
	line := "    " + mark + " " + what
	if e.Change.Summary != "" {
		line += "  " + SanitizeLine(e.Change.Summary)
	}
	t.detail(&t.loose, line+t.paint.dim(" "+FormatDuration(e.Duration)))
}

func (t *Terminal) rollbackFinished(e Event) {
	t.rollback = nil
	switch {
	case len(e.Left) > 0:
		t.detail(&t.loose, t.paint.red(count(len(e.Left), "change")+" could not be put back."))
	case t.verbosity >= 0:
		t.detail(&t.loose, t.paint.green("Everything was put back."))
	}
}

// runFinished is the end: the diagnostic, what was assumed or is left, one sentence, what to type.
func (t *Terminal) runFinished(e Event) {
	o := e.Outcome
	if o == nil {
		return
	}
	t.stopSteps(e.Time)
	t.rollback = nil
	t.diagnostic(*o)
	if t.verbosity >= 0 && len(t.assumed) > 0 {
		t.paragraph(t.paint.yellow("Assumed, because a preview cannot know it:"), t.assumed)
	}
	if len(o.Left) > 0 {
		t.paragraph(t.paint.red("Not put back:"), leftLines(o.Left))
	}
	if len(o.Kept) > 0 {
		t.paragraph(t.paint.yellow("Kept:"), keptLines(o.Kept))
	}
	if o.Error != "" && (t.mode == ModeLook || o.Mode == ModeLook) {
		return // the error says all there is to say
	}
	paint := t.paint.red
	if good(o.Result) {
		paint = t.paint.green
	}
	t.gap()
	t.detail(&t.loose, paint(SanitizeLine(Sentence(t.mode, *o)))+" "+t.paint.dim(ending(*o)))
	if len(o.Next) == 0 || t.verbosity < 0 && good(o.Result) {
		return
	}
	title := "Next:"
	if o.Result == Incomplete {
		title = "To go on with the rollback:"
	}
	t.detail(&t.loose, title)
	for _, command := range o.Next {
		t.detail(&t.loose, "  "+t.paint.bold(SanitizeLine(command)))
	}
}

// diagnostic shows the error in full, as it was composed, and where it happened unless it says so. Of a finding the
// place is in the log.
func (t *Terminal) diagnostic(o Outcome) {
	lines := textLines(o.Error)
	if len(lines) == 0 {
		return
	}
	if o.Position != "" && o.Trace == "" && !strings.Contains(o.Error, o.Position) {
		lines = append(lines, "  at "+o.Position)
	}
	lines[0] = t.paint.red(lines[0])
	t.gap()
	t.detail(&t.loose, lines...)
}

// paragraph is a title with indented lines, apart from what is above.
func (t *Terminal) paragraph(title string, lines []string) {
	t.gap()
	t.detail(&t.loose, title)
	for _, line := range lines {
		t.detail(&t.loose, "  "+line)
	}
}

// gap sets the next lines apart from those before, unless every line is precious.
func (t *Terminal) gap() {
	if t.verbosity >= 0 && t.mode != "" {
		t.detail(&t.loose, "")
	}
}
