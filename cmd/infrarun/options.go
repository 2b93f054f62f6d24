package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/events"
)

// options are the flags of infrarun itself.
type options struct {
	dryRun, yes, verbose, quiet, help bool
	site, policy, stateDir            string
	output, color                     choice
}

// flags declares them in a new set.
func (o *options) flags(name string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {}
	o.output = choice{value: "text", of: []string{"text", "json"}}
	o.color = choice{value: "auto", of: []string{"auto", "always", "never"}}
	set.BoolVar(&o.dryRun, "dry-run", false, "preview: show what would change, and change nothing")
	set.StringVar(&o.site, "site", "", "`FILE` with this site's steps, checks and defaults")
	set.StringVar(&o.policy, "policy", "", "`FILE` that bounds what recipes may reach (default "+runtime.DefaultPolicy+" if there)")
	set.BoolVarP(&o.yes, "yes", "y", false, "answer yes to every question")
	o.outputFlags(set)
	return set
}

// outputFlags declares the flags that every subcommand has.
func (o *options) outputFlags(set *pflag.FlagSet) {
	set.Var(&o.output, "output", "what to print: text, or json for one event a line")
	set.Var(&o.color, "color", "colors: auto, always or never")
	set.StringVar(&o.stateDir, "state-dir", "", "`DIR` of locks, journals and reports")
	set.BoolVarP(&o.verbose, "verbose", "v", false, "show every change, and what commands print")
	set.BoolVarP(&o.quiet, "quiet", "q", false, "show failures and the result only")
	set.BoolVarP(&o.help, "help", "h", false, "show this help")
}

// choice is a flag with one of several values.
type choice struct {
	value string
	of    []string
}

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.of, "|") }
func (c *choice) Set(v string) error {
	for _, o := range c.of {
		if v == o {
			c.value = v
			return nil
		}
	}
	return fmt.Errorf("it is %s", strings.Join(c.of, " or "))
}

// parse parses arguments, turning an unknown flag into an error with the nearest known one.
func parse(set *pflag.FlagSet, args []string) error {
	err := set.Parse(args)
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return err
	}
	var names []string
	set.VisitAll(func(f *pflag.Flag) {
		names = append(names, f.Name)
	})
	name := unknown.GetSpecifiedName()
	if near, ok := diag.Suggest(name, names); ok && len(name) > 1 {
		return fmt.Errorf("unknown flag --%s; did you mean --%s?", name, near)
	}
	return fmt.Errorf("%w; --help lists the flags there are", err)
}

// scan finds, among the arguments of run and plan, the recipe and the flags that must be known before
// the recipe's own flags are: which site file and which policy are loaded with it.
func scan(args []string) (recipe string, rest []string) {
	set := new(options).flags("")
	for i := 0; i < len(args); i++ {
		name, isFlag := strings.CutPrefix(args[i], "-")
		if !isFlag || args[i] == "-" {
			return args[i], append(append([]string{}, args[:i]...), args[i+1:]...)
		}
		name = strings.TrimPrefix(name, "-")
		f := set.Lookup(name)
		if f == nil && len(name) == 1 {
			f = set.ShorthandLookup(name)
		}
		if f != nil && f.NoOptDefVal == "" {
			i++ // its value
		}
	}
	return "", args
}

// early reads the flags that loading needs.
func (o *options) early(args []string) {
	set := o.flags("")
	set.ParseErrorsAllowlist.UnknownFlags = true
	for i, arg := range args {
		for _, f := range []struct {
			name string
			to   *string
		}{{"--site", &o.site}, {"--policy", &o.policy}} {
			if v, ok := strings.CutPrefix(arg, f.name+"="); ok {
				*f.to = v
			} else if arg == f.name && i+1 < len(args) {
				*f.to = args[i+1]
			}
		}
	}
}

func (o *options) verbosity() int {
	switch {
	case o.quiet:
		return -1
	case o.verbose:
		return 1
	}
	return 0
}

// state opens the state directory.
func (o *options) state(environ []string) (*runtime.State, error) {
	dir := o.stateDir
	if dir == "" {
		dir = getenv(environ, "INFRARUN_STATE_DIR")
	}
	if dir == "" {
		var err error
		if dir, err = runtime.DefaultStateDir(); err != nil {
			return nil, err
		}
	}
	return runtime.OpenState(dir)
}

// sinks returns where the events go, and the terminal if it is one of them.
func (a *app) sinks(o *options) ([]events.Sink, *events.Terminal) {
	if o.output.value == "json" {
		return []events.Sink{events.NewJSON(a.stdout)}, nil
	}
	live := isTerminal(a.stdout)
	t := events.NewTerminal(events.TerminalOptions{
		Out: a.stdout, Live: live, Color: a.colored(o, live), Width: a.width, Verbosity: o.verbosity(),
	})
	return []events.Sink{t}, t
}

func getenv(environ []string, name string) string {
	value := ""
	for _, kv := range environ {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}
