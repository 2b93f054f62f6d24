package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/runtime/events"
)

// result is what became of an invocation.
type result struct {
	t      testing.TB
	args   []string
	code   int
	stdout string
	stderr string
	events []events.Event
}

// infrarun runs the command with the site's environment and collects its JSON events.
func (s *site) infrarun(args ...string) *result {
	s.t.Helper()
	return s.start(args...).wait()
}

// deploy runs a recipe with the site's flags.
func (s *site) deploy(recipe string, more ...string) *result {
	s.t.Helper()
	return s.infrarun(s.args(recipe, more...)...)
}

func (s *site) args(recipe string, more ...string) []string {
	return append(append([]string{"recipes/" + recipe}, s.flags...), more...)
}

// process is a running invocation.
type process struct {
	s      *site
	cmd    *exec.Cmd
	args   []string
	stderr bytes.Buffer
	lines  chan events.Event
	seen   []events.Event
	raw    bytes.Buffer
}

// start starts the command with --output json.
func (s *site) start(args ...string) *process {
	s.t.Helper()
	p := &process{s: s, args: args, lines: make(chan events.Event, 10_000)}
	argv := slices.Concat(s.via, []string{binary}, args, []string{"--output=json"})
	p.cmd = exec.Command(argv[0], argv[1:]...)
	p.cmd.Dir = s.dir
	p.cmd.Env = s.env
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		s.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.lines)
		dec := json.NewDecoder(io.TeeReader(out, &p.raw))
		for {
			var e events.Event
			if err := dec.Decode(&e); err != nil {
				return
			}
			p.lines <- e
		}
	}()
	return p
}

// until waits for an event and reports whether it came before the command ended.
func (p *process) until(match func(events.Event) bool) bool {
	for e := range p.lines {
		p.seen = append(p.seen, e)
		if match(e) {
			return true
		}
	}
	return false
}

func (p *process) signal(s syscall.Signal) {
	p.s.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.s.t.Fatal(err)
	}
}

func (p *process) wait() *result {
	p.s.t.Helper()
	for e := range p.lines {
		p.seen = append(p.seen, e)
	}
	p.cmd.Wait()
	return &result{
		t: p.s.t, args: p.args, code: p.cmd.ProcessState.ExitCode(), events: p.seen,
		stdout: p.raw.String(), stderr: p.stderr.String(),
	}
}

// want fails the test unless the command ended with this exit code.
func (r *result) want(code int) *result {
	r.t.Helper()
	if r.code != code {
		r.t.Fatalf("infrarun %s: exit code %d, want %d\n%s\n%s", strings.Join(r.args, " "), r.code, code, r.failure(), r.stderr)
	}
	return r
}

// failure sums up why a run failed.
func (r *result) failure() string {
	var b strings.Builder
	for _, e := range r.events {
		switch {
		case e.Outcome != nil:
			fmt.Fprintf(&b, "%s: %s left=%v\n", e.Outcome.Result, e.Outcome.Error, e.Outcome.Left)
		case e.Kind == events.ChangeFinished && e.Change.Status == events.Would && r.code == 2:
			fmt.Fprintf(&b, "would %s %s\n", e.Change.Call, e.Change.Target)
		case e.Check != nil && !e.Check.OK:
			fmt.Fprintf(&b, "check %s: %s\n", e.Check.Name, e.Check.Detail)
		case e.Error != "":
			fmt.Fprintf(&b, "%s: %s\n", e.Kind, e.Error)
		case e.Level == "warn" || e.Level == "error":
			fmt.Fprintf(&b, "%s: %s\n", e.Level, e.Text)
		}
	}
	return b.String()
}

// backupTime is the name of a backup, which a preview makes at another time, or of what a run keeps of the database.
var backupTime = regexp.MustCompile(`(backup|restore|rollback)-([0-9]{8}-[0-9]{6}(-[0-9]{3})?|preview)`)

// changes lists the changes with this status, as "call target", in order.
func (r *result) changes(status events.Status) []string {
	var list []string
	for _, e := range r.events {
		if e.Kind == events.ChangeFinished && e.Change.Status == status {
			list = append(list, backupTime.ReplaceAllString(e.Change.Call+" "+e.Change.Target, "$1-TIME"))
		}
	}
	return list
}

func (r *result) outcome() events.Outcome {
	r.t.Helper()
	for _, e := range r.events {
		if e.Outcome != nil {
			return *e.Outcome
		}
	}
	r.t.Fatalf("no outcome in %s\n%s", r.stdout, r.stderr)
	return events.Outcome{}
}

// rollbackTook returns how long it took to put everything back.
func (r *result) rollbackTook() time.Duration {
	var began time.Time
	for _, e := range r.events {
		switch {
		case e.Kind == events.RollbackStarted:
			began = e.Time
		case e.Outcome != nil && !began.IsZero():
			return e.Time.Sub(began)
		}
	}
	return 0
}

// logSteps logs how long each step took.
func (r *result) logSteps() {
	r.t.Helper()
	for _, e := range r.events {
		if e.Kind == events.StepFinished {
			r.t.Logf("%-20s %6.1f s", e.Step.Title, e.Duration.Seconds())
		}
	}
}

// says fails the test unless the operator reads all of these.
func (r *result) says(texts ...string) *result {
	r.t.Helper()
	shown := r.shown()
	for _, text := range texts {
		if !strings.Contains(shown, text) {
			r.t.Errorf("infrarun %s does not say %q:\n%s", strings.Join(r.args, " "), text, shown)
		}
	}
	return r
}

// wantSame fails the test unless a run made exactly the changes that its preview listed.
func wantSame(t testing.TB, preview, run *result) {
	t.Helper()
	if diff := cmp.Diff(preview.changes(events.Would), run.changes(events.Done)); diff != "" {
		t.Errorf("the run made other changes than its preview listed (-preview +run):\n%s", diff)
	}
}
