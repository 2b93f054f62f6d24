package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
)

// options are the flags of infrarun itself.
type options struct {
	dryRun, yes, force, verbose, quiet, help bool
	removePackages                           bool
	site, policy, stateDir                   string
	output, color                            choice
}

// flags declares all of them in a new set: those of a recipe.
func (o *options) flags(name string) *pflag.FlagSet {
	set := newFlags(name)
	set.BoolVar(&o.dryRun, "dry-run", false, "preview: show what would change, and change nothing")
	set.StringVar(&o.site, "site", "", "a `FILE` with this site's steps, checks and defaults")
	set.StringVar(&o.policy, "policy", "", "a `FILE` that bounds what recipes may reach (default "+runtime.DefaultPolicy+", if it is there)")
	set.BoolVarP(&o.yes, "yes", "y", false, "answer yes to every question")
	o.outputFlag(set)
	o.colorFlag(set)
	o.stateFlag(set)
	o.verbosityFlags(set)
	o.helpFlag(set)
	return set
}

// subcommandFlags declares, in a new set, those of a subcommand that runs no recipe.
func (o *options) subcommandFlags(name string) *pflag.FlagSet {
	set := newFlags("infrarun " + name)
	o.output.value, o.color.value = "text", "auto"
	switch name {
	case "rollback":
		set.BoolVar(&o.force, "force", false, "go on although the machine has changed since")
		set.BoolVar(&o.removePackages, "remove-packages", false, "also remove the packages that the run installed and that a rollback otherwise keeps")
		o.outputFlag(set)
		o.colorFlag(set)
		o.stateFlag(set)
		o.verbosityFlags(set)
	case "show":
		o.outputFlag(set)
		o.colorFlag(set)
		o.stateFlag(set)
	case "runs":
		o.outputFlag(set)
		o.stateFlag(set)
	case "doc":
		o.colorFlag(set)
	case "version":
		o.outputFlag(set)
	}
	o.helpFlag(set)
	return set
}

func newFlags(name string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SortFlags = false
	set.Usage = func() {} // errors and help are ours
	return set
}

func (o *options) outputFlag(set *pflag.FlagSet) {
	o.output = choice{value: "text", of: []string{"text", "json"}}
	set.Var(&o.output, "output", "text, or json: an object a line")
}

func (o *options) colorFlag(set *pflag.FlagSet) {
	o.color = choice{value: "auto", of: []string{"auto", "always", "never"}}
	set.Var(&o.color, "color", "use colors; auto: on a terminal")
}

// stateVariable is the environment variable that --state-dir goes before.
const stateVariable = "INFRARUN_STATE_DIR"

func (o *options) stateFlag(set *pflag.FlagSet) {
	set.StringVar(&o.stateDir, "state-dir", "", "the `DIR` of locks, journals and reports (default $"+stateVariable+
		", else /var/lib/infrarun for root and ~/.local/state/infrarun for others)")
}

func (o *options) verbosityFlags(set *pflag.FlagSet) {
	set.BoolVarP(&o.verbose, "verbose", "v", false, "show every change, and what commands print")
	set.BoolVarP(&o.quiet, "quiet", "q", false, "show failures and the result only")
}

func (o *options) helpFlag(set *pflag.FlagSet) {
	set.BoolVarP(&o.help, "help", "h", false, "show this help")
}

// choice is a flag with one of several values.
type choice struct {
	value string
	of    []string
}

// String implements pflag.Value.
func (c *choice) String() string { return c.value }

// Type implements pflag.Value.
func (c *choice) Type() string { return strings.Join(c.of, "|") }

// Set implements pflag.Value.
func (c *choice) Set(v string) error {
	if !slices.Contains(c.of, v) {
		return fmt.Errorf("%q is none of %s", v, strings.Join(c.of, ", "))
	}
	c.value = v
	return nil
}

func (o *options) json() bool { return o.output.value == "json" }

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
		dir = getenv(environ, stateVariable)
	}
	if dir == "" {
		var err error
		if dir, err = runtime.DefaultStateDir(); err != nil {
			return nil, err
		}
	}
	return runtime.OpenState(dir)
}

// getenv returns a variable of an environment as of os.Environ; the last of a name counts.
func getenv(environ []string, name string) string {
	value := ""
	for _, kv := range environ {
		if k, v, _ := strings.Cut(kv, "="); k == name {
			value = v
		}
	}
	return value
}
