// Command infrarun runs deploy recipes written in Starlark: it previews them, runs them, and puts the
// machine back when they fail.
//
// This package parses the command line, calls runtime and prints. What a deployment does is in the
// recipes; what a builtin does is under builtins/; families.go is where they are put together. Each
// subcommand has a file of its own.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
)

func main() {
	// A reader of our output that goes away, such as head, must not stop a deployment half way.
	signal.Ignore(syscall.SIGPIPE)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	os.Exit(a.main(os.Args[1:]))
}

// app is one invocation of the command.
type app struct {
	stdin   *os.File
	stdout  *os.File
	stderr  io.Writer
	environ []string
}

// command is a subcommand.
type command struct {
	name    string
	args    string // as the usage shows them
	summary string
	run     func(a *app, ctx context.Context, args []string) int
}

// commands lists the subcommands in the order of the usage.
func commands() []command {
	return []command{
		{"run", "RECIPE [FLAGS]", "run a recipe; the word run may be left out", (*app).run},
		{"plan", "RECIPE [FLAGS]", "preview a recipe: the same as RECIPE --dry-run", (*app).plan},
		{"rollback", "[RUN]", "undo an interrupted run, or the newest finished one", (*app).rollback},
		{"runs", "", "list the runs there were", (*app).runs},
		{"show", "RUN", "tell one run in full", (*app).show},
		{"doc", "[NAME]", "explain a builtin, a family of them, or all", (*app).doc},
		{"init", "DIR", "write editable copies of the built-in recipes", (*app).init},
		{"version", "", "tell the version", (*app).version},
		{"completion", "bash|zsh|fish", "print a completion script for a shell", (*app).completion},
	}
}

func (a *app) main(args []string) int {
	ctx, stop := a.onSignals(context.Background())
	defer stop()
	if len(args) == 0 {
		a.usage(a.stderr)
		return runtime.ExitRefused
	}
	for _, c := range commands() {
		if c.name == args[0] {
			return c.run(a, ctx, args[1:])
		}
	}
	switch args[0] {
	case "-h", "--help", "help":
		return a.help(ctx, args[1:])
	case "__complete":
		return a.complete(ctx, args[1:])
	case "--version":
		return a.version(ctx, nil)
	}
	return a.run(ctx, args)
}

// onSignals returns a context that the first signal to stop cancels. The run then puts the machine
// back; further signals only say so, since stopping that half way is what infrarun exists to prevent.
func (a *app) onSignals(parent context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(parent)
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			if ctx.Err() != nil {
				fmt.Fprintf(a.stderr, "infrarun: %s: still putting things back\n", s)
				continue
			}
			cancel(runtime.ErrInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
	}
}

// errorf prints an error and returns the exit code for a refusal.
func (a *app) errorf(format string, args ...any) int {
	fmt.Fprintf(a.stderr, "infrarun: "+format+"\n", args...)
	return runtime.ExitRefused
}
