package main

import (
	"context"

	"github.com/infrarun/infrarun/builtins/reference"
	"github.com/infrarun/infrarun/runtime"
)

// doc explains builtins, from their declarations.
func (a *app) doc(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("doc", o)
	name, code, ok := a.subcommand(set, o, args, "[NAME]",
		"Explain a builtin such as fs.write, a family such as fs, or all of them.", 0, 1)
	if !ok {
		return code
	}
	host, err := newHost()
	if err != nil {
		return a.errorf("%v", err)
	}
	if err := reference.Text(a.stdout, host.Families(), first(name), a.colored(o, isTerminal(a.stdout))); err != nil {
		return a.errorf("%v", err)
	}
	return runtime.ExitDone
}
