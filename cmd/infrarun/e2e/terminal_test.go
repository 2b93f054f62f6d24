package e2e

import (
	"bytes"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/creack/pty"
)

// command returns an invocation that prints text.
func (s *site) command(args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Env = s.dir, s.env
	return cmd
}

func freePort(t testing.TB) string { return fmt.Sprint(freePorts(t, 1)[0]) }

// unanswered is the site's flags without --yes.
func (s *site) unanswered() []string {
	return slices.DeleteFunc(s.args("deploy.star"), func(a string) bool { return a == "--yes" })
}

// TestNoTerminal runs without one: nothing is asked, no control code is printed, and what would need a
// yes says that --yes gives it.
func TestNoTerminal(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	var stdout, stderr bytes.Buffer
	cmd := s.command(s.unanswered()...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Stdin = strings.NewReader("y\n")
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d without a terminal and --yes, want 1\n%s", code, &stdout)
	}
	out := stdout.String() + stderr.String()
	if !strings.Contains(out, "--yes") {
		t.Errorf("it does not say what to do:\n%s", out)
	}
	if i := strings.IndexFunc(out, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' }); i >= 0 {
		t.Errorf("there is a control code at %d: %q", i, out[max(0, i-20):min(len(out), i+20)])
	}

	s.env = append(s.env, "NON_INTERACTIVE=true")
	term := s.onTerminal(s.unanswered()...)
	if out := term.wait(t); !strings.Contains(out, "NON_INTERACTIVE") || !strings.Contains(out, "--yes") {
		t.Errorf("with NON_INTERACTIVE it says:\n%s", out)
	}
}

// session is an invocation on a terminal.
type session struct {
	cmd    *exec.Cmd
	screen io.ReadWriteCloser
	out    bytes.Buffer
}

func (s *site) onTerminal(args ...string) *session {
	s.t.Helper()
	cmd := s.command(args...)
	cmd.Env = append(cmd.Env, "TERM=xterm", "NO_COLOR=1")
	f, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 50, Cols: 120})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { f.Close() })
	return &session{cmd: cmd, screen: f}
}

// until reads until the text has come.
func (p *session) until(t *testing.T, text string) {
	t.Helper()
	buf := make([]byte, 4096)
	for !strings.Contains(p.out.String(), text) {
		n, err := p.screen.Read(buf)
		p.out.Write(buf[:n])
		if err != nil {
			t.Fatalf("%q did not come: %v\n%s", text, err, &p.out)
		}
	}
}

func (p *session) wait(t *testing.T) string {
	t.Helper()
	io.Copy(&p.out, p.screen) // ends with an error when the other side is closed
	p.cmd.Wait()
	return p.out.String()
}

// TestQuestion answers the question on a terminal.
func TestQuestion(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	p := s.onTerminal(s.unanswered()...)
	p.until(t, "[Y/n]")
	fmt.Fprintln(p.screen, "n")
	out := p.wait(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(out, "the answer was no") {
		t.Errorf("exit code %d:\n%s", code, out)
	}
	if left := s.tree(); len(left) != 1 {
		t.Errorf("a no left %v", left)
	}

	// Ctrl-C at the question.
	p = s.onTerminal(s.unanswered()...)
	p.until(t, "[Y/n]")
	p.screen.Write([]byte{3})
	p.wait(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("exit code %d after Ctrl-C at the question", code)
	}

	p = s.onTerminal(s.unanswered()...)
	p.until(t, "[Y/n]")
	fmt.Fprintln(p.screen, "")
	out = p.wait(t)
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d after a yes:\n%s", code, out)
	}
	if !regexp.MustCompile(`\[3/10\] Preflight checks .* ok`).MatchString(out) {
		t.Errorf("the screen lacks the steps:\n%s", out)
	}
}
