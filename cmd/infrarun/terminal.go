package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// width is the terminal's, or a usual one where there is none.
func (a *app) width() int {
	if w, _, err := term.GetSize(int(a.stdout.Fd())); err == nil && w > 0 {
		return w
	}
	return 100
}

func (a *app) colored(o *options, live bool) bool {
	switch o.color.value {
	case "always":
		return true
	case "never":
		return false
	}
	return live && getenv(a.environ, "NO_COLOR") == "" && getenv(a.environ, "TERM") != "dumb"
}

// prompter asks at the terminal.
type prompter struct {
	in, out  *os.File
	reader   *bufio.Reader
	yes      bool
	silent   string // why nobody can be asked; "" if somebody can
	terminal *events.Terminal
}

var _ runtime.UI = (*prompter)(nil)

func (a *app) prompter(o *options, t *events.Terminal) *prompter {
	p := &prompter{in: a.stdin, out: a.stdout, reader: bufio.NewReader(a.stdin), yes: o.yes, terminal: t}
	switch {
	case strings.EqualFold(getenv(a.environ, "NON_INTERACTIVE"), "true"):
		p.silent = "NON_INTERACTIVE is set"
	case !isTerminal(a.stdin) || !isTerminal(a.stdout):
		p.silent = "there is no terminal"
	case t == nil:
		p.silent = "the output is JSON"
	}
	return p
}

// Yes implements runtime.UI.
func (p *prompter) Yes() bool { return p.yes }

// Confirm implements runtime.UI.
func (p *prompter) Confirm(ctx context.Context, question string, byDefault bool) (bool, error) {
	if p.yes {
		return true, nil
	}
	if p.silent != "" {
		return false, &silentError{p.silent, "--yes answers yes"}
	}
	choices := "[y/N]"
	if byDefault {
		choices = "[Y/n]"
	}
	for {
		line, err := p.ask(ctx, question+" "+choices+" ", false)
		if err != nil {
			return false, err
		}
		switch strings.ToLower(line) {
		case "":
			return byDefault, nil
		case "y", "yes":
			return true, nil
		case "n", "no":
			return false, nil
		}
	}
}

// Prompt implements runtime.UI.
func (p *prompter) Prompt(ctx context.Context, question, byDefault string, secret bool) (string, error) {
	if p.silent != "" {
		if byDefault != "" {
			return byDefault, nil
		}
		return "", &silentError{p.silent, "run it on a terminal, or let the recipe take this as a param"}
	}
	if byDefault != "" {
		question += " [" + byDefault + "]"
	}
	line, err := p.ask(ctx, question+": ", secret)
	if line == "" {
		line = byDefault
	}
	return line, err
}

// ask shows a question and reads a line. A signal ends the wait.
func (p *prompter) ask(ctx context.Context, question string, secret bool) (string, error) {
	p.terminal.Suspend()
	defer p.terminal.Resume()
	if secret {
		show, err := hideTyping(int(p.in.Fd()))
		if err != nil {
			return "", err
		}
		defer fmt.Fprintln(p.out) // the line end was not shown either
		defer show()
	}
	fmt.Fprint(p.out, question)
	type answer struct {
		text string
		err  error
	}
	got := make(chan answer, 1)
	go func() {
		text, err := p.reader.ReadString('\n')
		got <- answer{strings.TrimRight(text, "\r\n"), err}
	}()
	select {
	case <-ctx.Done():
		fmt.Fprintln(p.out)
		return "", context.Cause(ctx)
	case a := <-got:
		if a.err != nil && a.text == "" {
			return "", fmt.Errorf("nobody answered: %w", a.err)
		}
		if !secret {
			a.text = strings.TrimSpace(a.text)
		}
		return a.text, nil
	}
}

// hideTyping lets a terminal not show what is typed, and returns what lets it show that again. It must
// be called before the question is shown: people type ahead.
func hideTyping(fd int) (show func(), err error) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	hidden := *before
	hidden.Lflag &^= unix.ECHO
	if err := unix.IoctlSetTermios(fd, unix.TCSETS, &hidden); err != nil {
		return nil, fmt.Errorf("hide what is typed: %w", err)
	}
	return func() { _ = unix.IoctlSetTermios(fd, unix.TCSETS, before) }, nil
}

// silentError is a question that nobody can be asked.
type silentError struct{ why, hint string }

func (e *silentError) Error() string { return "it needs an answer, and " + e.why }

// Hint says what to do about it.
func (e *silentError) Hint() string { return e.hint }
