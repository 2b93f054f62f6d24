// Package events is the one stream that everything a person or a program learns about a run is made
// from: the terminal's lines, deploy.log, events.jsonl, --output json, the report and the metrics.
// The outcome is told once, in one event, so the sinks cannot disagree about it.
//
// A run emits; a [Bus] redacts, numbers and hands each event to every [Sink] in order. The package
// knows nothing of Starlark, of builtins or of the door: it carries plain data.
//
// Texts come from commands, recipes and the network, and none is trusted: a sink that writes for a
// person passes every string of an event through [Sanitize] first.
//
//	event.go EVENTS.md          what happens in a run, as Go and as JSON
//	bus.go redact.go            the only way to the sinks
//	terminal*.go screen.go      for a person who watches
//	logfile.go jsonl.go         deploy.log, events.jsonl
//	report.go metrics.go        what is written at the end, from a record.go
//	sentence.go text.go         what several of them say, in the same words
package events

import "time"

// Kind says what happened. The names are part of the JSON output and stay stable.
type Kind string

const (
	RunStarted       Kind = "run.started"       // Run
	StepStarted      Kind = "step.started"      // Step
	StepFinished     Kind = "step.finished"     // Step, Duration, Error
	ChangeStarted    Kind = "change.started"    // Change; what is being done now
	ChangeFinished   Kind = "change.finished"   // Change, Duration, Error
	Output           Kind = "output"            // Text, Stream, Source: one line that a command printed
	Log              Kind = "log"               // Level, Text: what the recipe says
	Progress         Kind = "progress"          // Progress
	Assumed          Kind = "assumed"           // Text, Position: what a preview could not know
	Checked          Kind = "check"             // Check
	Scored           Kind = "score"             // Score
	Facts            Kind = "facts"             // Facts: a titled table, such as the plan or the final state
	Question         Kind = "question"          // Text, Answer: what a person was asked and said
	RollbackStarted  Kind = "rollback.started"  // Text, Total
	Undone           Kind = "undo"              // Change, Duration, Error
	RollbackFinished Kind = "rollback.finished" // Left
	RunFinished      Kind = "run.finished"      // Outcome
)

// Event is one thing that happened. Fields that do not belong to its kind are empty.
type Event struct {
	Seq      uint64        `json:"seq"`
	Time     time.Time     `json:"time"`
	Kind     Kind          `json:"event"`
	Run      *Run          `json:"run,omitempty"`
	Step     *Step         `json:"step,omitempty"` // the step that was running, in every kind
	Change   *Change       `json:"change,omitempty"`
	Check    *Check        `json:"check,omitempty"`
	Score    *Score        `json:"score,omitempty"`
	Facts    *Table        `json:"facts,omitempty"`
	Progress *Bar          `json:"progress,omitempty"`
	Outcome  *Outcome      `json:"outcome,omitempty"`
	Level    string        `json:"level,omitempty"` // debug, info, warn, error
	Text     string        `json:"text,omitempty"`
	Answer   string        `json:"answer,omitempty"`
	Stream   string        `json:"stream,omitempty"` // stdout, stderr
	Source   string        `json:"source,omitempty"` // the command or unit a line of output is from
	Position string        `json:"position,omitempty"`
	Duration time.Duration `json:"duration_ns,omitempty"`
	Error    string        `json:"error,omitempty"`
	Total    int           `json:"total,omitempty"`
	Left     []Left        `json:"left,omitempty"`
}

// Run says what is being run.
type Run struct {
	ID      string            `json:"id,omitempty"` // empty in a preview and a look
	Recipe  string            `json:"recipe"`       // as shown to the operator
	Source  string            `json:"source"`       // "disk" or "embedded"
	Doc     string            `json:"doc,omitempty"`
	Site    string            `json:"site,omitempty"`
	Mode    Mode              `json:"mode"`
	Params  map[string]string `json:"params,omitempty"`
	Dir     string            `json:"dir,omitempty"` // the run's directory
	Version string            `json:"version"`
}

// Mode is what a run does with the changes of its recipe.
type Mode string

const (
	ModePreview  Mode = "preview"
	ModeRun      Mode = "run"
	ModeLook     Mode = "look" // of a recipe that declared that it makes none
	ModeRollback Mode = "rollback"
)

// Step is a titled part of a recipe. Index counts from 1; Total is 0 where it is not known.
type Step struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	Index int    `json:"index,omitempty"`
	Total int    `json:"total,omitempty"`
}

// Status is what became of a change.
type Status string

const (
	Unchanged Status = "unchanged" // the machine is already so
	Would     Status = "would"     // a preview: a run would do it
	Done      Status = "done"
	Failed    Status = "failed"
	Denied    Status = "denied" // refused by the recipe's declarations or the operator's policy
)

// Change is one change at the door.
type Change struct {
	ID       uint64 `json:"id,omitempty"` // its number in the journal
	Call     string `json:"call"`         // fs.write
	Target   string `json:"target"`       // /etc/app.conf
	Summary  string `json:"summary"`      // "create, 214 bytes, mode 0600"
	Status   Status `json:"status,omitempty"`
	Undo     string `json:"undo,omitempty"` // exact, compensating, none
	UndoNote string `json:"undo_note,omitempty"`
	Diff     string `json:"diff,omitempty"` // unified
	Assumed  string `json:"assumed,omitempty"`
	Position string `json:"position,omitempty"`
}

// Check is one preflight or health check.
type Check struct {
	Name     string  `json:"name"`
	Group    string  `json:"group"` // preflight, health
	OK       bool    `json:"ok"`
	Assumed  bool    `json:"assumed,omitempty"` // a preview took it for granted
	Required bool    `json:"required,omitempty"`
	Weight   float64 `json:"weight,omitempty"`
	Detail   string  `json:"detail,omitempty"`
	Hint     string  `json:"hint,omitempty"`
}

// Score sums up the checks of a group.
type Score struct {
	Group     string  `json:"group"`
	Percent   float64 `json:"percent"`
	Threshold float64 `json:"threshold"`
	OK        bool    `json:"ok"`
	Detail    string  `json:"detail,omitempty"` // why not
}

// Table is facts for a person: a title and rows of columns.
type Table struct {
	Title   string     `json:"title,omitempty"`
	Columns []string   `json:"columns,omitempty"`
	Rows    [][]string `json:"rows"`
}

// Bar is how far a long piece of work has come. Total is 0 where it is not known; Unit is "bytes",
// "files" or another plural.
type Bar struct {
	What    string `json:"what"`
	Current int64  `json:"current"`
	Total   int64  `json:"total,omitempty"`
	Unit    string `json:"unit,omitempty"`
	Done    bool   `json:"done,omitempty"`
}

// Left is something a rollback could not put back.
type Left struct {
	Call   string `json:"call"`
	Target string `json:"target"`
	Error  string `json:"error"`
}

// Result is the end of a run in a word.
type Result string

const (
	Succeeded   Result = "succeeded"
	Restored    Result = "restored"     // infrarun rollback: the machine is as it was before the run
	WouldChange Result = "would_change" // preview: there are changes
	NoChange    Result = "no_change"    // preview: there are none
	Refused     Result = "refused"      // failed before any change
	DeniedRun   Result = "denied"       // refused by policy
	RolledBack  Result = "rolled_back"  // failed, everything put back
	Incomplete  Result = "incomplete"   // failed, and something could not be put back
	Interrupted Result = "interrupted"  // stopped by a signal, everything put back
	Locked      Result = "locked"       // another run holds the lock, or one must first be rolled back
)

// Kept is something that a run brought and its rollback left on purpose.
type Kept struct {
	What   string `json:"what"`             // the packages jq, libjq1
	Remove string `json:"remove,omitempty"` // the command that removes it
}

// Outcome is how a run ended. ExitCode, the last line, the log, the JSON and the report are all made
// from this one value.
type Outcome struct {
	Result    Result        `json:"result"`
	Mode      Mode          `json:"mode,omitempty"` // of a look, and of what did not begin, and so has told none
	ExitCode  int           `json:"exit_code"`
	Error     string        `json:"error,omitempty"`    // the whole diagnostic; of a finding what is for the operator
	Trace     string        `json:"trace,omitempty"`    // of a finding: the whole diagnostic
	Position  string        `json:"position,omitempty"` // where it happened
	Step      string        `json:"step,omitempty"`     // the step that failed
	Changes   int           `json:"changes"`
	Unchanged int           `json:"unchanged"`
	Assumed   int           `json:"assumed"`
	Undone    int           `json:"undone,omitempty"`
	Left      []Left        `json:"left,omitempty"`
	Kept      []Kept        `json:"kept,omitempty"`
	Next      []string      `json:"next,omitempty"` // commands to type next
	Duration  time.Duration `json:"duration_ns"`
}
