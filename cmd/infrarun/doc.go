package main

import (
	"context"
	"io"

	"github.com/infrarun/infrarun/builtins/reference"
)

// doc explains builtins, from their declarations.
func (a *app) doc(_ context.Context, args []string) int {
	o := &options{}
	set := o.subcommandFlags("doc")
	name, code, ok := a.arguments(set, o, args, "[NAME]",
		"Explain a builtin such as fs.write, a family such as fs, or all of them.", 0, 1)
	if !ok {
		return code
	}
	host, err := newHost()
	if err != nil {
		return a.fail(o, err)
	}
	return a.print(o, func(w io.Writer) error {
		return reference.Text(w, host.Families(), first(name), a.colored(o, isTerminal(a.stdout)))
	})
}
