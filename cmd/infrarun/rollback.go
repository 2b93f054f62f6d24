package main

import (
	"context"

	"github.com/infrarun/infrarun/runtime"
)

// rollback undoes a run.
func (a *app) rollback(ctx context.Context, args []string) int {
	line := scan(args) // for --output: even a refusal is JSON if that was asked for
	o := &options{}
	set := o.subcommandFlags("rollback")
	err := o.parse(set, args)
	if err == nil && o.help {
		return a.subcommandHelp(set, o, "[RUN]", "Undo a run: the interrupted one if there is one, else the newest that succeeded. RUN is its name or the\n"+
			"beginning of it, as `infrarun runs` lists it.")
	}
	if err == nil {
		err = count(set, "[RUN]", 0, 1)
	}
	if err != nil {
		return a.refuse(ctx, &line.own, nil, err)
	}
	host, err := newHost()
	if err != nil {
		return a.refuse(ctx, o, nil, err)
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.refuse(ctx, o, nil, err)
	}
	var also []string
	if o.removePackages {
		also = append(also, "packages") // as in --remove-packages: the runtime tells the command that goes on
	}
	sinks, terminal := a.sinks(o)
	return host.Rollback(ctx, first(set.Args()), runtime.Options{
		State: state, UI: a.prompter(o, terminal), Sinks: sinks, Force: o.force, Also: also,
	}).ExitCode
}
