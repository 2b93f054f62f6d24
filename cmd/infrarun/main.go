// Command infrarun runs deploy recipes written in Starlark: it previews them, runs them, and puts the
// machine back when they fail.
//
// This package parses the command line, calls runtime and prints. It must not know what a deployment
// does, which is in the recipes, nor what a builtin does, which is below builtins/.
//
//	main.go                 the subcommands, and signals
//	host.go                 where families, standard library and recipes are put together
//	scan.go                 what can be said of a command line before the recipe is loaded
//	options.go parse.go     infrarun's own flags, and errors about any flag
//	usage.go flagtable.go   help
//	report.go               errors, as text or as JSON, and everything else that is printed
//	terminal.go             colors, width, questions
//	builtin.go              the recipes that are part of infrarun, and those at hand
//	run.go rollback.go …    a subcommand each; subcommand.go is what they share
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"sync/atomic"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/runtime"
)

func main() {
	// A reader of our output that goes away, such as head, must not stop a deployment half way.
	signal.Ignore(syscall.SIGPIPE)
	abortOnFatalError()
	// What a deployment leaves must not depend on who runs it: what commands make can be read by the services, and what is
	// nobody's business has its mode given.
	syscall.Umask(0o022)
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, environ: os.Environ()}
	os.Exit(a.main(os.Args[1:]))
}

// maxStack is how many bytes the stack of a recipe can take; all else of its memory is bounded by package runtime.
const maxStack = 256 << 20

// abortOnFatalError has a fatal error of the Go runtime, such as a stack that overflows, end the process by a signal. By
// itself it would end with exit code 2, which tells that a preview has found changes. It leaves no core: secrets would be in it.
func abortOnFatalError() {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // where it fails, the machine's limit on cores is what there is
	debug.SetTraceback("crash")
	debug.SetMaxStack(maxStack)
}

// app is one invocation of the command.
type app struct {
	stdin, stdout, stderr *os.File
	environ               []string
	harmless              atomic.Bool // what runs can change nothing, so there is nothing to put back
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

func commandNamed(name string) (command, bool) {
	for _, c := range commands() {
		if c.name == name {
			return c, true
		}
	}
	return command{}, false
}

func (a *app) main(args []string) int {
	ctx, stop := a.onSignals(context.Background())
	defer stop()
	return a.dispatch(ctx, args)
}

// dispatch hands the arguments to a subcommand.
func (a *app) dispatch(ctx context.Context, args []string) int {
	if len(args) == 0 {
		a.usage(a.stderr)
		return runtime.ExitRefused
	}
	switch args[0] {
	case "__complete":
		return a.complete(ctx, args[1:])
	case "--version":
		return a.version(ctx, args[1:])
	}
	line := scan(args)
	switch {
	case line.word == "help":
		return a.help(ctx, line.rest)
	case line.word == "" && line.own.help:
		return a.help(ctx, nil)
	}
	if c, ok := commandNamed(line.word); ok {
		return c.run(a, ctx, line.rest)
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
			if errors.Is(context.Cause(ctx), runtime.ErrInterrupted) {
				if a.harmless.Load() {
					continue
				}
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
