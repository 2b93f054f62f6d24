package events

import "time"

// stream is what a run of one outcome emits.
type stream struct {
	name   string
	events []Event
}

// outcome is what the stream's last event says.
func (s stream) outcome() Outcome { return *s.events[len(s.events)-1].Outcome }

// script writes a stream as a run would: through a bus, with a clock that the script moves.
type script struct {
	clock time.Time
	bus   *Bus
	all   Collector
	step  *Step
}

func newScript(run Run) *script {
	s := &script{clock: time.Date(2026, 11, 22, 21, 44, 0, 123e6, time.UTC)}
	s.bus = NewBus(nil, func() time.Time { return s.clock }, &s.all)
	run.Version = "1.0.0"
	s.emit(0, Event{Kind: RunStarted, Run: &run})
	return s
}

func (s *script) emit(after time.Duration, e Event) {
	s.clock = s.clock.Add(after)
	if e.Step == nil {
		e.Step = s.step
	}
	s.bus.Emit(e)
}

func (s *script) begin(index, total int, name, title string) {
	s.step = &Step{Name: name, Title: title, Index: index, Total: total}
	s.emit(time.Millisecond, Event{Kind: StepStarted})
}

func (s *script) end(after time.Duration, err string) {
	s.emit(after, Event{Kind: StepFinished, Duration: after, Error: err})
	s.step = nil
}

// change is one that starts and ends; a preview's does not start.
func (s *script) change(c Change, err string) {
	if c.Status == Done || c.Status == Failed {
		started := c
		started.Status, started.Diff = "", ""
		s.emit(time.Millisecond, Event{Kind: ChangeStarted, Change: &started})
	}
	s.emit(20*time.Millisecond, Event{Kind: ChangeFinished, Change: &c, Duration: 20 * time.Millisecond, Error: err})
}

func (s *script) check(c Check) { s.emit(time.Millisecond, Event{Kind: Checked, Check: &c}) }

func (s *script) output(source, text string) {
	s.emit(time.Millisecond, Event{Kind: Output, Stream: "stdout", Source: source, Text: text})
}

func (s *script) undo(id uint64, call, target, err string) {
	s.emit(5*time.Millisecond, Event{Kind: Undone, Duration: 5 * time.Millisecond, Error: err,
		Change: &Change{ID: id, Call: call, Target: target, Summary: "as it was before"}})
}

func (s *script) finish(name string, o Outcome) stream {
	o.Duration = s.clock.Sub(s.all.Events()[0].Time)
	s.emit(time.Millisecond, Event{Kind: RunFinished, Outcome: &o})
	return stream{name, s.all.Events()}
}

var (
	writeConf = Change{ID: 1, Call: "fs.write", Target: "/etc/app.conf", Summary: "create, 214 bytes, mode 0600", Undo: "exact",
		Diff: "--- /etc/app.conf\n+++ /etc/app.conf\n@@ -0,0 +1,2 @@\n+port: 8082\n+\thost: localhost\n", Position: "deploy.star:12:5"}
	restart = Change{ID: 2, Call: "systemd.restart", Target: "infra-console", Summary: "restart, is active", Undo: "compensating",
		UndoNote: "starts the old release", Position: "deploy.star:20:5"}
	sameDir = Change{Call: "fs.mkdir", Target: "/etc/infra", Summary: "already a directory", Status: Unchanged, Undo: "exact"}
)

// as is a change that became something.
func as(c Change, s Status) Change {
	c.Status = s
	return c
}

func deployRun() Run {
	return Run{ID: "20261122-214400", Recipe: "recipes/deploy.star", Source: "embedded", Mode: ModeRun,
		Site: "sites/acme.star", Params: map[string]string{"env": "staging", "backup": "true"}, Dir: "/state/runs/20261122-214400"}
}

func previewRun() Run {
	return Run{Recipe: "recipes/deploy.star", Source: "disk", Mode: ModePreview, Params: map[string]string{"env": "staging"}}
}

// streams has one stream for every result, and some that are harder to show.
func streams() []stream {
	return []stream{
		successStream(), wouldChangeStream(), noChangeStream(), refusedStream(), deniedStream(), rolledBackStream(),
		incompleteStream(), interruptedStream(), lockedStream(), parallelStream(), rollbackModeStream(),
	}
}

func successStream() stream {
	s := newScript(deployRun())
	s.begin(1, 3, "plan", "Plan")
	s.emit(0, Event{Kind: Facts, Facts: &Table{Title: "What will be deployed", Columns: []string{"service", "port", "状态"},
		Rows: [][]string{{"console", "8082", "運行中"}, {"gate", "80", "new"}, {"orch"}}}})
	s.emit(0, Event{Kind: Question, Text: "Deploy to staging?", Answer: "yes (--yes)"})
	s.end(50*time.Millisecond, "")
	s.begin(2, 3, "files", "Files")
	s.emit(0, Event{Kind: Log, Level: "info", Text: "writing the configuration\nof five services"})
	s.emit(0, Event{Kind: Log, Level: "debug", Text: "template app.conf.tmpl"})
	s.emit(0, Event{Kind: Log, Level: "warn", Text: "no TLS certificate, using a self-signed one"})
	s.change(as(writeConf, Done), "")
	s.change(sameDir, "")
	s.emit(time.Second, Event{Kind: Progress, Progress: &Bar{What: "copying", Current: 1 << 20, Total: 4 << 20, Unit: "bytes"}})
	s.emit(time.Second, Event{Kind: Progress, Progress: &Bar{What: "copying", Current: 4 << 20, Total: 4 << 20, Unit: "bytes", Done: true}})
	s.output("git", "HEAD is now at 1234567")
	s.change(as(restart, Done), "")
	s.end(2100*time.Millisecond, "")
	s.begin(3, 3, "health", "Health checks")
	s.check(Check{Name: "console", Group: "health", OK: true, Required: true, Weight: 2, Detail: "200 in 12 ms"})
	s.check(Check{Name: "log errors", Group: "health", Detail: "3 errors in console.log", Hint: "look at\n/var/log/console.log", Weight: 1})
	s.emit(0, Event{Kind: Scored, Score: &Score{Group: "health", Percent: 87.5, Threshold: 75, OK: true}})
	s.end(400*time.Millisecond, "")
	return s.finish("success", Outcome{Result: Succeeded, Changes: 2, Unchanged: 1, Next: []string{"infrarun recipes/manage.star status"}})
}

func wouldChangeStream() stream {
	s := newScript(previewRun())
	s.begin(1, 2, "preflight", "Checks before the start")
	s.check(Check{Name: "ports", Group: "preflight", OK: true, Detail: "80 443 8082 free"})
	s.end(10*time.Millisecond, "")
	s.begin(2, 2, "files", "Files")
	s.change(as(writeConf, Would), "")
	s.change(sameDir, "")
	assumed := as(restart, Would)
	assumed.Assumed = "the unit comes up"
	s.change(assumed, "")
	s.change(Change{Call: "exec.run", Target: "migrate --up", Summary: "run", Status: Would, Undo: "none"}, "")
	s.change(Change{Call: "fs.remove", Target: "/srv/old", Summary: "remove, 3 files", Status: Would, Undo: "exact"}, "")
	s.emit(0, Event{Kind: Assumed, Text: "git describe prints v2", Position: "deploy.star:31:9"})
	s.check(Check{Name: "console", Group: "health", OK: true, Assumed: true})
	s.end(20*time.Millisecond, "")
	return s.finish("would_change", Outcome{Result: WouldChange, ExitCode: 2, Changes: 4, Unchanged: 1, Assumed: 3,
		Next: []string{"infrarun recipes/deploy.star --env staging"}})
}

func noChangeStream() stream {
	s := newScript(previewRun())
	s.begin(1, 1, "files", "Files")
	s.change(sameDir, "")
	s.end(20*time.Millisecond, "")
	return s.finish("no_change", Outcome{Result: NoChange, Unchanged: 1})
}

// parallelStream has two steps that overlap, and one event of a step that never began.
func parallelStream() stream {
	s := newScript(deployRun())
	s.begin(1, 2, "backend", "Build the back end")
	backend := s.step
	s.begin(2, 2, "frontend", "Build the front end")
	s.emit(0, Event{Kind: Log, Level: "info", Text: "of the front end", Step: s.step})
	s.emit(0, Event{Kind: Log, Level: "info", Text: "of the back end", Step: backend})
	s.emit(0, Event{Kind: Log, Level: "warn", Text: "of nobody", Step: &Step{Name: "unknown", Title: "Unknown"}})
	s.end(time.Second, "")
	s.step = backend
	s.change(as(restart, Done), "")
	s.end(70*time.Second, "")
	return s.finish("parallel", Outcome{Result: Succeeded, Changes: 1})
}

func rollbackModeStream() stream {
	run := deployRun()
	run.Mode = ModeRollback
	s := newScript(run)
	s.emit(0, Event{Kind: RollbackStarted, Total: 2})
	s.undo(2, "fs.write", "/etc/app.conf", "")
	s.emit(time.Millisecond, Event{Kind: Undone, Change: &Change{
		ID: 1, Call: "pkg.install", Target: "jq", Undo: "compensating", Status: Unchanged, Summary: "kept",
	}})
	s.emit(0, Event{Kind: RollbackFinished})
	kept := []Kept{{What: "the packages jq, libjq1", Remove: "apt-get purge jq libjq1"}}
	return s.finish("rollback_mode", Outcome{Result: Restored, Undone: 1, Kept: kept})
}
