package main

import (
	"context"

	"github.com/infrarun/infrarun/runtime"
)

// rollback undoes a run.
func (a *app) rollback(ctx context.Context, args []string) int {
	o := &options{}
	set := newFlags("rollback", o)
	force := set.Bool("force", false, "go on although the machine has changed since")
	id, code, ok := a.subcommand(set, o, args, "[RUN]",
		"Undo a run: the interrupted one if there is one, else the newest that succeeded.", 0, 1)
	if !ok {
		return code
	}
	host, err := newHost()
	if err != nil {
		return a.errorf("%v", err)
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.errorf("%v", err)
	}
	sinks, terminal := a.sinks(o)
	return host.Rollback(ctx, first(id), runtime.Options{
		State: state, UI: a.prompter(o, terminal), Sinks: sinks, Force: *force,
	}).ExitCode
}
