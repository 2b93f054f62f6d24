package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// run runs a recipe, or previews it.
func (a *app) run(ctx context.Context, args []string) int {
	name, rest := scan(args)
	o := &options{}
	if name == "" {
		own := o.flags("infrarun")
		if err := parse(own, rest); err != nil {
			return a.errorf("%v", err)
		}
		if o.help {
			return a.help(ctx, nil)
		}
		return a.errorf("no recipe is named; `infrarun --help` shows how")
	}
	o.early(rest)
	host, err := newHost()
	if err != nil {
		return a.errorf("%v", err)
	}
	recipe, err := host.Load(ctx, name, o.site, o.policy)
	if err != nil {
		return a.refuse(o, rest, recipe, a.explain(name, err))
	}
	own := o.flags("infrarun")
	params := pflag.NewFlagSet(name, pflag.ContinueOnError)
	params.SortFlags = false
	flags := recipe.AddFlags(params)
	all := pflag.NewFlagSet("infrarun", pflag.ContinueOnError)
	all.Usage = func() {}
	all.AddFlagSet(own)
	all.AddFlagSet(params)
	if err := parse(all, rest); err != nil {
		return a.refuse(o, rest, recipe, err)
	}
	if o.help {
		return a.recipeHelp(recipe, own, params)
	}
	if err := flags.Positional(all.Args()); err != nil {
		return a.refuse(o, rest, recipe, err)
	}
	return a.execute(ctx, o, recipe, flags)
}

// plan previews a recipe.
func (a *app) plan(ctx context.Context, args []string) int {
	return a.run(ctx, append([]string{"--dry-run"}, args...))
}

func (a *app) execute(ctx context.Context, o *options, recipe *runtime.Recipe, flags *runtime.Flags) int {
	values, err := recipe.Resolve(ctx, flags, a.environ)
	if err != nil {
		return a.refuse(o, nil, recipe, err)
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.refuse(o, nil, recipe, err)
	}
	sinks, terminal := a.sinks(o)
	opts := runtime.Options{State: state, UI: a.prompter(o, terminal), Sinks: sinks}
	if o.dryRun {
		return recipe.Preview(ctx, values, opts).ExitCode
	}
	return recipe.Run(ctx, values, opts).ExitCode
}

// refuse tells why nothing was begun, as text or, if that was asked for, as the event that ends every
// run. Rest are the arguments, for the case that they were not parsed to the end.
func (a *app) refuse(o *options, rest []string, recipe *runtime.Recipe, err error) int {
	text := err.Error()
	if recipe != nil {
		var b strings.Builder
		recipe.Diagnose(err).Write(&b, false)
		text = strings.TrimRight(b.String(), "\n")
	}
	if !o.json(rest) {
		return a.errorf("%s", text)
	}
	bus := events.NewBus(nil, nil, events.NewJSON(a.stdout))
	bus.Emit(events.Event{Kind: events.RunFinished, Outcome: &events.Outcome{
		Result: events.Refused, ExitCode: runtime.ExitRefused, Error: text,
	}})
	if err := bus.Close(); err != nil {
		return a.errorf("%v", err)
	}
	return runtime.ExitRefused
}

func (o *options) json(rest []string) bool {
	for i, arg := range rest {
		if arg == "--output=json" || arg == "--output" && i+1 < len(rest) && rest[i+1] == "json" {
			return true
		}
	}
	return o.output.value == "json"
}

// explain adds to a missing recipe which ones there are.
func (a *app) explain(name string, err error) error {
	if !strings.Contains(name, ".star") && errors.Is(err, runtime.ErrNoRecipe) {
		return fmt.Errorf("%w; `infrarun --help` lists the subcommands, and the built-in recipes are %s",
			err, strings.Join(builtinRecipes(), ", "))
	}
	return err
}
