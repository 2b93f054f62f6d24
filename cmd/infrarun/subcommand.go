package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
)

// arguments parses the arguments of a subcommand, of which least to most are no flags. The usage names
// them. If it returns false the command is over, with that exit code.
func (a *app) arguments(set *pflag.FlagSet, o *options, args []string, usage, doc string, least, most int) ([]string, int, bool) {
	err := o.parse(set, args)
	if err == nil && !o.help {
		err = count(set, usage, least, most)
	}
	switch {
	case err != nil:
		return nil, a.fail(o, err), false
	case o.help:
		return nil, a.subcommandHelp(set, o, usage, doc), false
	}
	return set.Args(), runtime.ExitDone, true
}

// count checks the number of arguments that are no flags.
func count(set *pflag.FlagSet, usage string, least, most int) error {
	name := strings.TrimPrefix(set.Name(), "infrarun ")
	hint := strings.TrimSpace("usage: " + set.Name() + " " + usage)
	switch n := set.NArg(); {
	case n < least:
		return hinted(fmt.Sprintf("%s needs %s", name, usage), hint)
	case n > most:
		return hinted(fmt.Sprintf("%s: unexpected argument %q", name, set.Arg(most)), hint)
	}
	return nil
}

func (a *app) subcommandHelp(set *pflag.FlagSet, o *options, usage, doc string) int {
	return a.print(o, func(w io.Writer) error {
		fmt.Fprintf(w, "%s\n\nUsage:\n  %s\n\nFlags:\n", doc, strings.TrimSpace(set.Name()+" "+usage))
		flagTable(w, set, a.width())
		return nil
	})
}

func first(args []string) string {
	if len(args) == 0 {
		return ""
	}
	return args[0]
}
