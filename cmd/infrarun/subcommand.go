package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
)

// newFlags returns the flags of a subcommand that runs no recipe.
func newFlags(name string, o *options) *pflag.FlagSet {
	set := pflag.NewFlagSet("infrarun "+name, pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {}
	o.output = choice{value: "text", of: []string{"text", "json"}}
	o.color = choice{value: "auto", of: []string{"auto", "always", "never"}}
	o.outputFlags(set)
	return set
}

// subcommand parses the arguments of a subcommand. If it returns false the command is over, with that
// exit code.
func (a *app) subcommand(set *pflag.FlagSet, o *options, args []string, usage, doc string, least, most int) ([]string, int, bool) {
	if err := parse(set, args); err != nil {
		return nil, a.errorf("%v", err), false
	}
	if o.help {
		fmt.Fprintf(a.stdout, "%s\n\nUsage:\n  %s %s\n\nFlags:\n%s", doc, set.Name(), usage, set.FlagUsagesWrapped(a.width()))
		return nil, runtime.ExitDone, false
	}
	if n := set.NArg(); n < least || n > most {
		return nil, a.errorf("usage: %s %s", set.Name(), usage), false
	}
	return set.Args(), 0, true
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
