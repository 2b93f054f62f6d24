package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/diag"
	"github.com/infrarun/infrarun/runtime/events"
)

// run runs a recipe, or previews it.
func (a *app) run(ctx context.Context, args []string) int {
	return a.runRecipe(ctx, args, "run", "Run a recipe. The word run may be left out. `infrarun RECIPE --help` tells the flags that it takes.", false)
}

// plan previews a recipe.
func (a *app) plan(ctx context.Context, args []string) int {
	return a.runRecipe(ctx, args, "plan", "Preview a recipe: the same as RECIPE --dry-run.", true)
}

// runRecipe runs the recipe that args name, or previews it.
func (a *app) runRecipe(ctx context.Context, args []string, command, doc string, preview bool) int {
	line := scan(args)
	if line.word == "" {
		return a.noRecipe(ctx, args, command, doc)
	}
	host, err := newHost()
	if err != nil {
		return a.refuse(ctx, &line.own, nil, err)
	}
	recipe, err := host.Load(ctx, line.word, line.own.site, line.own.policy)
	if err != nil {
		return a.refuse(ctx, &line.own, recipe, explainMissing(line.word, err))
	}
	o := &options{}
	own := o.flags("infrarun")
	params := newFlags(recipe.Name)
	flags := recipe.AddFlags(params)
	all := newFlags("infrarun")
	all.AddFlagSet(own)
	all.AddFlagSet(params)
	if err := o.parse(all, line.rest); err != nil {
		return a.refuse(ctx, &line.own, recipe, err)
	}
	if o.help {
		return a.recipeHelp(o, recipe, own, params)
	}
	if err := flags.Positional(all.Args()); err != nil {
		return a.refuse(ctx, o, recipe, err)
	}
	o.dryRun = o.dryRun || preview
	return a.execute(ctx, o, recipe, flags)
}

// noRecipe answers a command line without a recipe.
func (a *app) noRecipe(ctx context.Context, args []string, command, doc string) int {
	o := &options{}
	set := o.flags("infrarun " + command)
	err := o.parse(set, args)
	switch {
	case err == nil && o.help:
		return a.subcommandHelp(set, o, "RECIPE [FLAGS]", doc)
	case err == nil:
		err = hinted("no recipe is named", fmt.Sprintf("infrarun %s --dry-run is a preview of the built-in one", deployRecipe))
	}
	return a.refuse(ctx, o, nil, err)
}

// execute runs or previews a recipe whose flags have been parsed.
func (a *app) execute(ctx context.Context, o *options, recipe *runtime.Recipe, flags *runtime.Flags) int {
	values, err := recipe.Resolve(ctx, flags, a.environ)
	if err != nil {
		return a.refuse(ctx, o, recipe, err)
	}
	state, err := o.state(a.environ)
	if err != nil {
		return a.refuse(ctx, o, recipe, err)
	}
	if recipe.Looks() {
		a.harmless.Store(true)
		endWithReader()
	}
	sinks, terminal := a.sinks(o)
	opts := runtime.Options{State: state, UI: a.prompter(o, terminal), Sinks: sinks}
	if o.dryRun {
		return recipe.Preview(ctx, values, opts).ExitCode
	}
	return recipe.Run(ctx, values, opts).ExitCode
}

// endWithReader has the process end when whoever reads its output is gone, as programs usually do: otherwise what follows
// a log would go on for nobody. Only Notify undoes that the signal was ignored.
func endWithReader() {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	signal.Reset(syscall.SIGPIPE)
}

// sinks returns where the events go, and the terminal if it is one of them.
func (a *app) sinks(o *options) ([]events.Sink, *events.Terminal) {
	if o.json() {
		return []events.Sink{events.NewJSON(a.stdout)}, nil
	}
	live := isTerminal(a.stdout)
	t := events.NewTerminal(events.TerminalOptions{
		Out: a.stdout, Live: live, Color: a.colored(o, live), Width: a.width, Verbosity: o.verbosity(),
	})
	return []events.Sink{t}, t
}

// explainMissing says of a word that is no recipe what may have been meant: a subcommand or a built-in
// recipe.
func explainMissing(word string, err error) error {
	if !errors.Is(err, runtime.ErrNoRecipe) || strings.HasSuffix(word, ".star") {
		return err
	}
	text := fmt.Sprintf("there is no recipe and no subcommand %q", word)
	var names []string
	for _, r := range builtinRecipes() {
		if r.name == "recipes/"+word+".star" {
			return hinted(text, fmt.Sprintf("did you mean %s?", r.name))
		}
	}
	for _, c := range commands() {
		names = append(names, c.name)
	}
	if near, ok := diag.Suggest(word, names); ok {
		return hinted(text, fmt.Sprintf("did you mean infrarun %s?", near))
	}
	return hinted(text, "infrarun --help lists the subcommands and the built-in recipes")
}
