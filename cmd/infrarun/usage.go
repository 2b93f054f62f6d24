package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
)

const synopsis = `infrarun runs deploy recipes: it previews them, runs them, and puts the machine back when they fail.

  infrarun recipes/deploy.star --env staging --dry-run    what would change
  infrarun recipes/deploy.star --env staging              do it
  infrarun rollback                                       undo it

Usage:
`

func (a *app) usage(w io.Writer) {
	io.WriteString(w, synopsis)
	fmt.Fprintf(w, "  infrarun RECIPE [FLAGS]\n")
	for _, c := range commands()[1:] {
		fmt.Fprintf(w, "  infrarun %-28s %s\n", strings.TrimSpace(c.name+" "+c.args), c.summary)
	}
	fmt.Fprintf(w, "\nBuilt-in recipes: %s. `infrarun RECIPE --help` tells a recipe's flags.\n", strings.Join(builtinRecipes(), ", "))
	fmt.Fprintf(w, "\nFlags of every recipe:\n%s", new(options).flags("infrarun").FlagUsages())
}

func (a *app) help(ctx context.Context, args []string) int {
	if len(args) > 0 {
		return a.main([]string{args[0], "--help"})
	}
	a.usage(a.stdout)
	return runtime.ExitDone
}

// recipeHelp prints what a recipe is and the flags it takes.
func (a *app) recipeHelp(r *runtime.Recipe, own, params *pflag.FlagSet) int {
	w := a.stdout
	if r.Doc != "" {
		fmt.Fprintf(w, "%s\n\n", r.Doc)
	}
	fmt.Fprintf(w, "Usage:\n  infrarun %s%s [FLAGS]\n", r.Name, positionals(r))
	if r.Source == "embedded" {
		fmt.Fprintln(w, "\nThis is the built-in recipe; `infrarun init DIR` writes a copy to edit.")
	}
	fmt.Fprintf(w, "\nFlags of this recipe:\n%s", params.FlagUsagesWrapped(a.width()))
	fmt.Fprintf(w, "\nFlags of infrarun:\n%s", own.FlagUsagesWrapped(a.width()))
	fmt.Fprintf(w, "\nEach flag of the recipe can be set by the environment, as INFRARUN_%s, too.\n", envExample(r))
	return runtime.ExitDone
}

func positionals(r *runtime.Recipe) string {
	var b strings.Builder
	for _, p := range r.Params {
		if p.Positional {
			fmt.Fprintf(&b, " [%s]", strings.ToUpper(p.Name))
		}
	}
	return b.String()
}

func envExample(r *runtime.Recipe) string {
	for _, p := range r.Params {
		if p.Kind != runtime.ShorthandParam {
			return strings.TrimPrefix(p.Env(), "INFRARUN_")
		}
	}
	return "NAME"
}
