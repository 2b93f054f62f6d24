package events

import (
	"slices"
	"time"
)

// record is a run as a whole, gathered from its events: what the report and the metrics are made of.
type record struct {
	run      Run
	started  time.Time
	finished time.Time
	steps    []*stepRecord // in order of their start; the first may be what belongs to none
	facts    []Table
	checks   []Check
	scores   []Score // the last one of each group
	assumed  []string
	notes    []note
	rollback bool
	undone   []changeRecord
	left     []Left
	outcome  *Outcome // nil: the run never came to its end
}

// stepRecord is a step and what happened in it.
type stepRecord struct {
	Step
	Started  time.Time
	Duration time.Duration
	Error    string
	Ended    bool
	Changes  []changeRecord
	tails    tails
}

// changeRecord is a change, or an undo, and how it ended.
type changeRecord struct {
	Change
	Duration time.Duration
	Error    string
	Source   string   // of Output
	Output   []string // the last lines printed before it failed
}

// note is something said to the operator: a warning, an error, a question with its answer.
type note struct{ Level, Text string }

// add takes in one event.
func (r *record) add(e Event) {
	if r.started.IsZero() {
		r.started = e.Time
	}
	r.finished = e.Time
	switch {
	case e.Kind == StepStarted && e.Step != nil:
		r.steps = append(r.steps, &stepRecord{Step: *e.Step, Started: e.Time})
	case e.Kind == StepFinished:
		s := r.step(e.Step)
		s.Duration, s.Error, s.Ended = e.spent(s.Started), e.Error, true
	case e.Kind == Output:
		r.step(e.Step).tails.add(e.Source, SanitizeLine(e.Text))
	case e.Change != nil:
		r.addChange(e)
	case e.Kind == Log && (e.Level == "warn" || e.Level == "error"):
		r.notes = append(r.notes, note{e.Level, e.Text})
	case e.Kind == Question:
		r.notes = append(r.notes, note{"question", e.Text + " " + e.Answer})
	case e.Check != nil:
		r.checks = append(r.checks, *e.Check)
	case e.Score != nil:
		r.scores = slices.DeleteFunc(r.scores, func(s Score) bool { return s.Group == e.Score.Group })
		r.scores = append(r.scores, *e.Score)
	case e.Facts != nil:
		r.facts = append(r.facts, *e.Facts)
	}
	r.addRun(e)
	if text, ok := assumption(e); ok {
		r.assumed = append(r.assumed, text)
	}
}

// addRun takes in what is about the run as a whole.
func (r *record) addRun(e Event) {
	if e.Run != nil {
		r.run = *e.Run
	}
	switch e.Kind {
	case RollbackStarted:
		r.rollback = true
	case RollbackFinished:
		r.left = e.Left
	case RunFinished:
		r.outcome = e.Outcome
		if e.Outcome != nil && len(e.Outcome.Left) > 0 {
			r.left = e.Outcome.Left
		}
	}
}

func (r *record) addChange(e Event) {
	c := changeRecord{Change: *e.Change, Duration: e.Duration, Error: e.Error}
	switch e.Kind {
	case Undone:
		r.undone = append(r.undone, c)
	case ChangeStarted:
		r.step(e.Step).tails.forget(c.Change)
	case ChangeFinished:
		s := r.step(e.Step)
		if c.Status == Failed {
			c.Source, c.Output = s.tails.of(c.Change)
		}
		s.Changes = append(s.Changes, c)
	}
}

// step returns a step's record. What names no step that began belongs to the run itself: a record
// without a title, in front of the others.
func (r *record) step(s *Step) *stepRecord {
	for _, known := range slices.Backward(r.steps) {
		if s != nil && known.Name == s.Name && known.Index == s.Index {
			return known
		}
	}
	if len(r.steps) == 0 || r.steps[0].Step != (Step{}) {
		r.steps = slices.Insert(r.steps, 0, &stepRecord{Started: r.started, Ended: true})
	}
	return r.steps[0]
}

// times returns how long each step that ended took.
func (r *record) times() []StepTime {
	var times []StepTime
	for _, s := range r.steps {
		if s.Ended && s.Step != (Step{}) {
			times = append(times, StepTime{Step: s.Step, Duration: s.Duration})
		}
	}
	return times
}
