package systemd

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
)

// slow is the result of a job that is not over in time.
const slow = "slow"

// runner runs a command that only looks.
type runner func(context.Context, child.Spec) (child.Result, error)

// shownLines is how many lines of a unit's journal an error has.
const shownLines = 10

// run has systemd do something with a unit, and says in words why it fails.
func (x *writer) run(ctx context.Context, verb, unit string, timeout time.Duration) error {
	began := time.Now()
	x.hold(ctx, unit)
	result, err := x.job(ctx, verb, unit, timeout)
	if err != nil {
		return err
	}
	s, err := x.state(ctx, unit)
	if err != nil {
		return err
	}
	why := x.failure(ctx, verb, result, timeout, s)
	if why == "" {
		return nil
	}
	return fmt.Errorf("%s%s", why, lastLines(ctx, child.NewRunner(x.w).Run, unit, began))
}

// failure says why a job failed, "" if it did not.
func (x *writer) failure(ctx context.Context, verb, result string, timeout time.Duration, s state) string {
	switch result {
	case "done":
		if verb != stop && verb != reload && !s.on() && s.Skipped {
			return "it was not started: a condition in its file (Condition…= or Assert…=) is not met"
		}
		return ""
	case slow:
		return fmt.Sprintf("could not %s it within %v: it is %s (%s); systemd goes on with it, a larger timeout gives it longer",
			verb, timeout, s.Active, s.Sub)
	case "timeout":
		return "could not " + verb + " it in the time that its file gives it (TimeoutStartSec=, TimeoutStopSec=, JobTimeoutSec=)"
	case "canceled":
		return "it was cancelled: somebody asked systemd for the opposite meanwhile"
	case "dependency":
		return "a unit that it needs failed" + x.failed(ctx, s)
	case "skipped":
		return "systemd skipped it, since it does not apply to a unit that is " + s.Active
	case "assert":
		return "it was not started: an assertion in its file (Assert…=) is not met"
	case "unsupported":
		return "this machine does not support units of its kind"
	}
	return "could not " + verb + " it: " + howItEnded(s)
}

// failed names the units that one needs and that failed.
func (x *writer) failed(ctx context.Context, s state) string {
	var names []string
	for _, u := range s.needs {
		if n, err := x.state(ctx, u); err == nil && (n.Active == "failed" || n.missing()) {
			names = append(names, u)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return ": " + strings.Join(names, ", ")
}

// results are the ways in which a service ends badly.
var results = map[string]string{
	"exit-code":       "its process ended with an error",
	"signal":          "its process was killed",
	"core-dump":       "its process crashed",
	"timeout":         "it was not ready in time",
	"watchdog":        "it no longer gave its sign of life (WatchdogSec=)",
	"protocol":        "it did not say in the way of its Type= that it is ready",
	"resources":       "systemd could not give it what it takes, such as a directory or a process",
	"start-limit-hit": "it was started too often within a short time (StartLimitBurst=)",
	"oom-kill":        "the machine, or its MemoryMax=, ran out of memory",
	"exec-condition":  "its ExecCondition= is not met",
}

// statuses are the exit statuses that systemd itself gives, before the program runs: see systemd.exec(5).
var statuses = map[int32]string{
	200: "its WorkingDirectory= is not there or may not be entered",
	203: "its program is not there, or may not be executed by its user",
	205: "its limits (Limit…=) cannot be set",
	209: "its StandardOutput= cannot be opened",
	216: "its Group= does not exist",
	217: "its User= does not exist",
	218: "its capabilities (…Capabilit…=) cannot be set",
	226: "a path of its ReadWritePaths=, ReadOnlyPaths= or the like is not there, or its name spaces cannot be made",
	228: "its SystemCallFilter= cannot be set",
	238: "its StateDirectory= cannot be made",
	239: "its CacheDirectory= cannot be made",
	240: "its LogsDirectory= cannot be made",
	241: "its ConfigurationDirectory= cannot be made",
}

const (
	exited = 1 // as CLD_EXITED
	killed = 2
	dumped = 3
)

// howItEnded says in words how a unit failed.
func howItEnded(s state) string {
	text := results[s.Result]
	if text == "" {
		text = fmt.Sprintf("it is %s (%s)", s.Active, s.Sub)
	}
	switch s.ExitCode {
	case exited:
		if s.ExitStatus != 0 {
			text += fmt.Sprintf(", exit status %d", s.ExitStatus)
		}
		if why := statuses[s.ExitStatus]; why != "" {
			text += ": " + why
		}
	case killed, dumped:
		text += fmt.Sprintf(", signal %d", s.ExitStatus)
	}
	return text
}

// lastLines returns what a unit has logged last, for an error. That it cannot be had is no reason for another error.
func lastLines(ctx context.Context, run runner, unit string, since time.Time) string {
	entries, err := readJournal(ctx, run, journalQuery{unit: unit, since: string(momentOf(since)), lines: shownLines})
	if err != nil || len(entries) == 0 {
		return ""
	}
	var text strings.Builder
	text.WriteString("\n  its last lines in the journal:")
	for _, e := range entries {
		text.WriteString("\n  " + e.from() + e.message)
	}
	return text.String()
}
