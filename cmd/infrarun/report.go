package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/events"
)

// fail prints an error and returns the exit code for a refusal.
func (a *app) fail(o *options, err error) int { return a.failed(o, diag.From(err, nil)) }

func (a *app) failed(o *options, d *diag.Diagnostic) int {
	var b strings.Builder
	if d.File == "" { // else it begins with the place, as a compiler's
		b.WriteString("infrarun: ")
	}
	d.Write(&b, a.colored(o, isTerminal(a.stderr)))
	io.WriteString(a.stderr, b.String())
	return runtime.ExitRefused
}

// refuse tells why nothing was begun, as text or, if that was asked for, as the event that ends every
// run.
func (a *app) refuse(ctx context.Context, o *options, recipe *runtime.Recipe, err error) int {
	d := recipe.Diagnose(err)
	outcome := events.Outcome{Result: events.Refused, ExitCode: runtime.ExitRefused, Position: d.Position()}
	if errors.Is(context.Cause(ctx), runtime.ErrInterrupted) {
		outcome.Result, outcome.ExitCode = events.Interrupted, runtime.ExitInterrupted
	}
	if !o.json() {
		a.failed(o, d)
		return outcome.ExitCode
	}
	var b strings.Builder
	d.Write(&b, false)
	outcome.Error = strings.TrimRight(b.String(), "\n")
	bus := events.NewBus(nil, nil, events.NewJSON(a.stdout))
	bus.Emit(events.Event{Kind: events.RunFinished, Outcome: &outcome})
	if err := bus.Close(); err != nil {
		a.fail(o, err)
	}
	return outcome.ExitCode
}

// print prints what a subcommand that runs nothing has to say.
func (a *app) print(o *options, write func(io.Writer) error) int {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return a.fail(o, err)
	}
	if _, err := a.stdout.Write(b.Bytes()); err != nil && !errors.Is(err, syscall.EPIPE) {
		return a.fail(o, err)
	}
	return runtime.ExitDone
}
