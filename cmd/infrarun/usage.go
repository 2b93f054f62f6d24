package main

import (
	"bytes"
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
  infrarun RECIPE [FLAGS]
`

const afterword = `
Environment:
  INFRARUN_NAME          a value for the recipe's flag --name
  INFRARUN_STATE_DIR     a value for --state-dir
  NON_INTERACTIVE=true   ask nothing; what needs a yes needs --yes
  NO_COLOR=1             no colors

Exit codes:
  0     done; of a preview: nothing to change
  1     refused, or failed before any change
  2     of a preview: there are changes
  3     failed, everything was put back
  4     failed, and something could not be put back
  5     refused by PERMISSIONS or the policy
  6     another run is at work, or an interrupted one must first be rolled back
  130   interrupted, everything was put back
`

// usage writes what infrarun can do.
func (a *app) usage(w io.Writer) {
	b := bytes.NewBufferString(synopsis)
	var names, meanings []string
	for _, c := range commands()[1:] {
		names, meanings = append(names, "  infrarun "+strings.TrimSpace(c.name+" "+c.args)), append(meanings, c.summary)
	}
	columns(b, names, meanings, a.width())
	names, meanings = nil, nil
	for _, r := range builtinRecipes() {
		names, meanings = append(names, "  "+r.name), append(meanings, r.summary)
	}
	fmt.Fprint(b, "\nBuilt-in recipes, of which `infrarun RECIPE --help` lists the flags:\n")
	columns(b, names, meanings, a.width())
	fmt.Fprint(b, "\nFlags of every recipe:\n")
	flagTable(b, new(options).flags(""), a.width())
	b.WriteString(afterword)
	w.Write(b.Bytes())
}

// help prints the help of everything, of a subcommand or of a recipe.
func (a *app) help(ctx context.Context, args []string) int {
	if word := scan(args).word; word != "" && word != "help" {
		return a.dispatch(ctx, []string{word, "--help"})
	}
	return a.print(new(options), func(w io.Writer) error {
		a.usage(w)
		return nil
	})
}

// recipeHelp prints what a recipe is and the flags it takes.
func (a *app) recipeHelp(o *options, r *runtime.Recipe, own, params *pflag.FlagSet) int {
	return a.print(o, func(w io.Writer) error {
		if r.Doc != "" {
			fmt.Fprintf(w, "%s\n\n", r.Doc)
		}
		fmt.Fprintf(w, "Usage:\n  infrarun %s%s [FLAGS]\n", r.Name, positionals(r))
		if r.Source == "embedded" {
			fmt.Fprint(w, "\nThis is the built-in recipe; `infrarun init DIR` writes a copy to edit.\n")
		}
		if params.HasFlags() {
			fmt.Fprint(w, "\nFlags of this recipe:\n")
			flagTable(w, params, a.width())
			fmt.Fprintln(w)
			for _, text := range wrap("A value comes from the flag, else from the environment ("+envExample(r)+
				"), else from the site file, else from env/ENV.star beside the recipe, else it is the default.", a.width()) {
				fmt.Fprintln(w, text)
			}
		}
		fmt.Fprint(w, "\nFlags of infrarun:\n")
		flagTable(w, own, a.width())
		return nil
	})
}

func positionals(r *runtime.Recipe) string {
	var b strings.Builder
	for _, p := range r.Params {
		switch {
		case p.Positional && p.Required:
			fmt.Fprintf(&b, " %s", strings.ToUpper(p.Name))
		case p.Positional:
			fmt.Fprintf(&b, " [%s]", strings.ToUpper(p.Name))
		}
	}
	return b.String()
}

// envExample shows how a flag of the recipe becomes an environment variable.
func envExample(r *runtime.Recipe) string {
	for _, p := range r.Params {
		if p.Kind != runtime.ShorthandParam {
			return fmt.Sprintf("%s for --%s", p.Env(), p.Flag())
		}
	}
	return "INFRARUN_NAME for --name"
}
