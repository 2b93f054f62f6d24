package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime"
)

//go:embed completion/infrarun.bash
var bashCompletion string

//go:embed completion/infrarun.zsh
var zshCompletion string

//go:embed completion/infrarun.fish
var fishCompletion string

// completion prints a script that lets a shell complete infrarun's words. The script asks the hidden
// subcommand __complete, so that a recipe's own flags and their values are completed, too.
func (a *app) completion(_ context.Context, args []string) int {
	o := &options{}
	set := o.subcommandFlags("completion")
	shell, code, ok := a.arguments(set, o, args, "bash|zsh|fish",
		"Print a completion script. In bash or zsh: source <(infrarun completion bash); in fish:\ninfrarun completion fish | source", 1, 1)
	if !ok {
		return code
	}
	script := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}[shell[0]]
	if script == "" {
		return a.fail(o, fmt.Errorf("there is a completion script for bash, zsh and fish, not for %s", shell[0]))
	}
	return a.print(o, func(w io.Writer) error {
		_, err := io.WriteString(w, script)
		return err
	})
}

// candidate is a word that a shell may complete to.
type candidate struct{ word, about string }

// complete prints what could stand in place of the last argument: a line each, with a tab and what it
// is about behind the word.
func (a *app) complete(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return runtime.ExitDone
	}
	before, last, prefix := splitLast(args)
	found := a.candidates(ctx, before, last)
	slices.SortFunc(found, func(x, y candidate) int { return cmp.Compare(x.word, y.word) })
	found = slices.CompactFunc(found, func(x, y candidate) bool { return x.word == y.word })
	return a.print(new(options), func(w io.Writer) error {
		for _, c := range found {
			if strings.HasPrefix(c.word, last) {
				fmt.Fprintf(w, "%s\t%s\n", strings.TrimPrefix(c.word, prefix), c.about)
			}
		}
		return nil
	})
}

// splitLast takes apart the word to complete and those before it. Bash makes three words of
// --flag=value and completes the last of them: then prefix is what it already has.
func splitLast(args []string) (before []string, last, prefix string) {
	n := len(args) - 1
	switch {
	case args[n] == "=" && n > 0:
		return args[:n-1], args[n-1] + "=", args[n-1] + "="
	case n > 1 && args[n-1] == "=":
		return args[:n-2], args[n-2] + "=" + args[n], args[n-2] + "="
	}
	return args[:n], args[n], ""
}

// candidates lists what can follow the arguments before. What is a file is left to the shell.
func (a *app) candidates(ctx context.Context, before []string, last string) []candidate {
	line := scan(before)
	word := line.word
	if word == "run" || word == "plan" {
		word = scan(line.rest).word
	}
	set := a.flagsOf(ctx, word)
	if len(before) > 0 {
		if f := awaiting(set, before[len(before)-1]); f != nil {
			return values(f, "")
		}
	}
	if name, _, ok := strings.Cut(last, "="); ok && strings.HasPrefix(name, "--") {
		if f := set.Lookup(name[2:]); f != nil {
			return values(f, name+"=")
		}
		return nil
	}
	if strings.HasPrefix(last, "-") {
		return flagNames(set)
	}
	switch {
	case word == "" && line.word == "":
		return append(recipeNames(), commandNames()...)
	case word == "":
		return recipeNames()
	case word == "help":
		return append(recipeNames(), commandNames()...)
	case word == "show" || word == "rollback":
		return a.runNames(line.own)
	case word == "doc":
		return builtinNames()
	case word == "completion":
		return []candidate{{"bash", ""}, {"zsh", ""}, {"fish", ""}}
	}
	return flagNames(set)
}

// flagsOf returns the flags of a subcommand or a recipe; of a recipe that does not load, those that
// every recipe has.
func (a *app) flagsOf(ctx context.Context, word string) *pflag.FlagSet {
	o := &options{}
	if _, ok := commandNamed(word); ok {
		return o.subcommandFlags(word)
	}
	set := o.flags("")
	if word == "" {
		return set
	}
	if host, err := newHost(); err == nil {
		if r, err := host.Load(ctx, word, "", ""); err == nil {
			r.AddFlags(set)
		}
	}
	return set
}

// awaiting returns the flag whose value comes next, nil if there is none.
func awaiting(set *pflag.FlagSet, before string) *pflag.Flag {
	var f *pflag.Flag
	if name, ok := strings.CutPrefix(before, "--"); ok {
		f = set.Lookup(name)
	} else if len(before) == 2 && before[0] == '-' {
		f = set.ShorthandLookup(before[1:])
	}
	if f != nil && f.NoOptDefVal != "" {
		return nil
	}
	return f
}

// values lists what a flag takes, as far as it can be listed.
func values(f *pflag.Flag, prefix string) []candidate {
	var found []candidate
	switch kind := f.Value.Type(); {
	case kind == "bool":
		found = []candidate{{prefix + "true", ""}, {prefix + "false", ""}}
	case strings.Contains(kind, "|"):
		for v := range strings.SplitSeq(kind, "|") {
			if head, _, ok := strings.Cut(v, ":"); ok {
				v = head + ":" // env:NAME
			}
			found = append(found, candidate{prefix + v, ""})
		}
	}
	return found
}

func flagNames(set *pflag.FlagSet) []candidate {
	var found []candidate
	set.VisitAll(func(f *pflag.Flag) {
		_, about := pflag.UnquoteUsage(f)
		about, _, _ = strings.Cut(about, " (default")
		found = append(found, candidate{"--" + f.Name, about})
	})
	return found
}

func commandNames() []candidate {
	var found []candidate
	for _, c := range commands() {
		found = append(found, candidate{c.name, c.summary})
	}
	return append(found, candidate{"help", "tell what a subcommand or a recipe is"})
}

func recipeNames() []candidate {
	var found []candidate
	for _, name := range onDisk() {
		found = append(found, candidate{name, "a recipe"})
	}
	for _, r := range builtinRecipes() {
		found = append(found, candidate{r.name, r.summary})
	}
	return found
}

// runNames lists the runs there were.
func (a *app) runNames(o options) []candidate {
	state, err := o.state(a.environ)
	if err != nil {
		return nil
	}
	records, _ := state.Runs() // completion says nothing of what is wrong
	var found []candidate
	for _, r := range records {
		found = append(found, candidate{r.Run.ID, r.Run.Recipe + ", " + resultOf(r)})
	}
	return found
}

func builtinNames() []candidate {
	host, err := newHost()
	if err != nil {
		return nil
	}
	var found []candidate
	for _, family := range host.Families() {
		if family.Name != "" {
			found = append(found, candidate{family.Name, "a family of builtins"})
		}
		for _, b := range family.Builtins {
			found = append(found, candidate{b.Name, b.Summary()})
		}
	}
	return found
}
