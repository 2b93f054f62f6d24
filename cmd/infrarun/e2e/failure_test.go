package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// steps are those of deploy.star.
var steps = []string{
	"initialise", "plan", "preflight", "dependencies", "environment", "backup", "code", "ready", "health", "final",
}

// TestFailures deploys version 1 once, and then version 2 in every way in which it can fail: each must
// leave version 1 answering and the tree as it was, so that they can follow one another.
func TestFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	s.deploy("deploy.star").want(0)
	first := s.version()
	before := s.tree()
	intact := func(t *testing.T) {
		t.Helper()
		s := s.in(t)
		s.sameTree(before)
		if got := s.version(); got != first {
			t.Errorf("%s answers, want %s", got, first)
		}
	}

	for name, source := range map[string]string{
		"exits at start": exitsAtStart, "never listens": neverListens, "answers 500": answers500,
	} {
		t.Run(name, func(t *testing.T) {
			s := s.in(t)
			s.repo.write("cmd/console/broken.go", source)
			s.repo.commit(name)
			defer s.repo.reset()
			r := s.deploy("deploy.star", "--timeout=4").want(3)
			if o := r.outcome(); o.Result != events.RolledBack || o.Step == "" || o.Undone == 0 || len(o.Left) > 0 {
				t.Errorf("outcome is %+v", o)
			}
			intact(t)
		})
	}

	s.repo.write("cmd/gate/note.go", "package main\n")
	s.repo.commit("version 2")
	for _, step := range steps {
		t.Run("fails after "+step, func(t *testing.T) {
			site := filepath.Join(s.dir, "fail-"+step+".star")
			source := fmt.Sprintf("load(\"@stdlib//flow.star\", \"step\")\n\ndef broken(d):\n    fail(\"broken on purpose\")\n\n"+
				"def customize(flow):\n    flow.after(%q, step(\"broken\", broken))\n", step)
			if err := os.WriteFile(site, []byte(source), 0o644); err != nil {
				t.Fatal(err)
			}
			s := s.in(t)
			r := s.deploy("deploy.star", "--site="+site)
			want := 3
			if len(r.changes(events.Done)) == 0 {
				want = 1
			}
			r.want(want)
			if o := r.outcome(); !strings.Contains(o.Error, "broken on purpose") || !strings.Contains(o.Error, "fail-"+step+".star:4") {
				t.Errorf("the error does not tell what and where:\n%s", o.Error)
			}
			intact(t)
		})
	}

	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for _, step := range steps {
			t.Run(fmt.Sprintf("%v in %s", sig, step), func(t *testing.T) {
				s := s.in(t)
				p := s.start(s.args("deploy.star", "--stable=1")...)
				p.until(func(e events.Event) bool { return e.Kind == events.StepStarted && e.Step.Name == step })
				p.signal(sig)
				r := p.wait()
				if r.code == 0 && step == "final" { // it was done before the signal came
					s.infrarun("rollback").want(0)
				} else {
					r.want(130)
				}
				intact(t)
			})
		}
	}

	for _, step := range steps {
		t.Run("killed in "+step, func(t *testing.T) {
			s := s.in(t)
			p := s.start(s.args("deploy.star", "--stable=1")...)
			p.until(func(e events.Event) bool { return e.Kind == events.StepStarted && e.Step.Name == step })
			p.signal(syscall.SIGKILL)
			p.wait()
			s.recover(intact, t)
		})
	}
	for _, at := range []string{
		"journal.before-intend:3", "door.before-apply:1", "door.after-apply:2", "door.after-apply:6", "door.before-apply:8",
		"door.after-apply:9", "door.before-apply:10", "door.after-apply:11", "door.after-apply:12", "door.before-apply:13",
		"door.after-apply:13", "door.after-apply:14", "door.after-apply:15",
	} {
		t.Run("killed at "+at, func(t *testing.T) {
			s := s.in(t)
			s.killedAt(at+"=kill", "deploy.star")
			s.recover(intact, t)
		})
	}
	t.Run("killed in the rollback", func(t *testing.T) {
		s := s.in(t)
		p := s.start(s.args("deploy.star", "--stable=1")...)
		p.until(func(e events.Event) bool { return e.Kind == events.StepStarted && e.Step.Name == "health" })
		p.signal(syscall.SIGKILL)
		p.wait()
		for n := 1; n < 4; n++ {
			env := s.env
			s.env = append(env, fmt.Sprintf("INFRARUN_FAILPOINT=rollback.after-undo:%d=kill", n))
			if r := s.infrarun("rollback"); r.code != -1 {
				t.Fatalf("the rollback was not killed: exit code %d\n%s", r.code, r.failure())
			}
			s.env = env
		}
		s.recover(intact, t)
	})
}

// killedAt runs a recipe that a failpoint kills.
func (s *site) killedAt(failpoint, recipe string) {
	s.t.Helper()
	env := s.env
	defer func() { s.env = env }()
	s.env = append(env, "INFRARUN_FAILPOINT="+failpoint)
	if r := s.deploy(recipe); r.code != -1 {
		s.t.Fatalf("the run was not killed at %s: exit code %d\n%s", failpoint, r.code, r.failure())
	}
}

// recover does what an operator does after infrarun was killed: the next deployment is refused and
// says what to type, and typing it puts the machine back.
func (s *site) recover(intact func(*testing.T), t *testing.T) {
	t.Helper()
	if r := s.deploy("deploy.star"); r.code == 6 {
		o := r.outcome()
		if o.Result != events.Locked || len(o.Next) != 1 || !strings.HasPrefix(o.Next[0], "infrarun rollback ") {
			t.Errorf("the refusal does not say what to type: %+v", o)
		}
		s.infrarun(strings.Fields(o.Next[0])[1:]...).want(0)
	} else if r.code == 0 {
		s.infrarun("rollback").want(0) // killed before it had begun anything: this was an ordinary deployment
	} else {
		r.want(6)
	}
	intact(t)
}

func TestTwoAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	p := s.start(s.args("deploy.star")...)
	if !p.until(func(e events.Event) bool { return e.Kind == events.ChangeFinished }) {
		p.wait().want(0)
	}
	second := s.deploy("deploy.star").want(6)
	o := second.outcome()
	if want := fmt.Sprintf("process %d", p.cmd.Process.Pid); !strings.Contains(o.Error, want) {
		t.Errorf("the second does not name the holder, %s:\n%s", want, o.Error)
	}
	p.wait().want(0)
}

// TestOutputGoesAway closes the pipe that a deployment writes to, as `infrarun … | head` does.
func TestOutputGoesAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p := s.command(s.args("deploy.star")...)
	p.Stdout, p.Stderr = w, w
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	buf := make([]byte, 10)
	if _, err := r.Read(buf); err != nil {
		t.Fatal(err)
	}
	r.Close()
	done := make(chan error, 1)
	go func() { done <- p.Wait() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("the deployment ended with %v", err)
		}
	case <-time.After(5 * time.Minute):
		p.Process.Kill()
		t.Fatal("the deployment hangs")
	}
	s.version()
}
