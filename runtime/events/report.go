package events

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

// Report writes report.html at Close: the run in full on one page that needs nothing else, neither a
// script nor the network. Of a run that failed it is the report of the rollback, of one that
// succeeded the picture of what was deployed.
type Report struct {
	open func() (io.WriteCloser, error)
	rec  record
}

// NewReport returns a sink that writes, in one piece, to what open returns.
func NewReport(open func() (io.WriteCloser, error)) *Report { return &Report{open: open} }

// Handle implements [Sink].
func (r *Report) Handle(e Event) { r.rec.add(redacted(e, Sanitize)) }

// Close writes the page, also of a run that never came to its end: it says so.
func (r *Report) Close() error {
	page, err := renderReport(&r.rec)
	if err != nil {
		return fmt.Errorf("compose the report: %w", err)
	}
	return writeOnce(r.open, page, "report")
}

//go:embed report.html.tmpl
var reportTemplate string

// renderReport parses the template only here: most invocations of the program write no report, and
// what is parsed at start-up costs all of them.
func renderReport(rec *record) ([]byte, error) {
	t, err := template.New("report").Funcs(template.FuncMap{
		"duration": FormatDuration,
		"percent":  formatPercent,
		"count":    count,
		"mark":     checkWord,
		"sign":     func(c changeRecord) string { return sign(c.Change) },
		"undo":     func(c changeRecord) string { return undoText(c.Change) },
		"diff":     diffLines,
		"join":     strings.Join,
	}).Parse(reportTemplate)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := t.Execute(&page, newReportView(rec)); err != nil {
		return nil, err
	}
	return page.Bytes(), nil
}

// reportView is what the template sees.
type reportView struct {
	Run      Run
	Title    string
	Started  string
	Finished string
	Outcome  Outcome
	Ended    bool
	Good     bool
	Sentence string
	Ending   string
	Steps    []stepView
	Groups   []checkGroup
	Scores   []Score
	Facts    []Table
	Assumed  []string
	Notes    []note
	Rollback bool
	Undone   []changeRecord
	Left     []Left
}

// stepView is a step with its place in the waterfall, in percent of the run's time.
type stepView struct {
	*stepRecord
	Heading      string
	Offset, Span float64
}

// checkGroup is the checks of a group and their score, if there is one.
type checkGroup struct {
	Name   string
	Checks []Check
	Score  *Score
	Text   string // the score in words
}

func newReportView(rec *record) reportView {
	v := reportView{
		Run:      rec.run,
		Title:    map[Mode]string{ModePreview: "Preview", ModeRun: "Run", ModeRollback: "Rollback"}[rec.run.Mode],
		Started:  pageTime(rec.started),
		Finished: pageTime(rec.finished),
		Sentence: "The run did not come to its end: no outcome was recorded.",
		Groups:   checkGroups(rec),
		Facts:    rec.facts,
		Assumed:  rec.assumed,
		Notes:    rec.notes,
		Rollback: rec.rollback,
		Undone:   rec.undone,
		Left:     rec.left,
	}
	if rec.outcome != nil {
		v.Outcome, v.Ended = *rec.outcome, true
		v.Good = good(v.Outcome.Result)
		v.Sentence = Sentence(rec.run.Mode, v.Outcome)
		v.Ending = ending(v.Outcome)
	}
	whole := rec.finished.Sub(rec.started)
	for _, s := range rec.steps {
		if s.Step == (Step{}) && len(s.Changes) == 0 {
			continue
		}
		v.Steps = append(v.Steps, stepView{
			stepRecord: s,
			Heading:    heading(s.Step),
			Offset:     share(s.Started.Sub(rec.started), whole),
			Span:       max(0.3, share(s.Duration, whole)), // a step without a bar looks left out
		})
	}
	return v
}

// share is a part of a whole in percent, with one digit.
func share(part, whole time.Duration) float64 {
	if whole <= 0 {
		return 0
	}
	percent := 100 * float64(part) / float64(whole)
	return math.Round(10*min(100, max(0, percent))) / 10
}

func pageTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

func checkGroups(rec *record) []checkGroup {
	var groups []checkGroup
	at := map[string]int{}
	group := func(name string) *checkGroup {
		if _, seen := at[name]; !seen {
			at[name] = len(groups)
			groups = append(groups, checkGroup{Name: name})
		}
		return &groups[at[name]]
	}
	for _, c := range rec.checks {
		g := group(c.Group)
		g.Checks = append(g.Checks, c)
	}
	for _, s := range rec.scores {
		g := group(s.Group)
		g.Score, g.Text = &s, scoreText(s)
	}
	return groups
}

// diffLine is a line of a diff and its class in the page's style sheet.
type diffLine struct{ Class, Text string }

func diffLines(diff string) []diffLine {
	var lines []diffLine
	for _, text := range textLines(diff) {
		class := ""
		switch {
		case strings.HasPrefix(text, "+++"), strings.HasPrefix(text, "---"):
			class = "file"
		case strings.HasPrefix(text, "+"):
			class = "add"
		case strings.HasPrefix(text, "-"):
			class = "del"
		case strings.HasPrefix(text, "@@"):
			class = "hunk"
		}
		lines = append(lines, diffLine{class, text})
	}
	return lines
}
