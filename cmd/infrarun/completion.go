package main

import (
	"context"
	_ "embed"
	"io"
	"os"
	"path/filepath"
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
// subcommand __complete, so that a recipe's own flags are completed, too.
func (a *app) completion(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("completion", o)
	shell, code, ok := a.subcommand(set, o, args, "bash|zsh|fish",
		"Print a completion script: source <(infrarun completion bash).", 1, 1)
	if !ok {
		return code
	}
	scripts := map[string]string{"bash": bashCompletion, "zsh": zshCompletion, "fish": fishCompletion}
	script, ok := scripts[shell[0]]
	if !ok {
		return a.errorf("there is a completion script for bash, zsh and fish, not for %s", shell[0])
	}
	io.WriteString(a.stdout, script)
	return runtime.ExitDone
}

// complete prints the words that could stand in place of the last argument, a line each.
func (a *app) complete(ctx context.Context, args []string) int {
	if len(args) == 0 {
		return runtime.ExitDone
	}
	last := args[len(args)-1]
	for _, word := range a.words(ctx, args[:len(args)-1]) {
		if strings.HasPrefix(word, last) {
			io.WriteString(a.stdout, word+"\n")
		}
	}
	return runtime.ExitDone
}

// words lists what can follow the arguments before.
func (a *app) words(ctx context.Context, before []string) []string {
	own := new(options).flags("")
	recipe, rest := scan(before)
	if recipe == "run" || recipe == "plan" {
		recipe, _ = scan(rest)
	}
	switch {
	case recipe == "":
		words := append(flagNames(own), onDisk()...)
		words = append(words, builtinRecipes()...)
		if len(before) == 0 {
			for _, c := range commands() {
				words = append(words, c.name)
			}
		}
		slices.Sort(words)
		return slices.Compact(words)
	case isCommand(recipe):
		return a.subcommandWords(recipe)
	}
	words := flagNames(own)
	if host, err := newHost(); err == nil {
		if r, err := host.Load(ctx, recipe, "", ""); err == nil {
			set := pflag.NewFlagSet("", pflag.ContinueOnError)
			r.AddFlags(set)
			words = append(words, flagNames(set)...)
		}
	}
	return words
}

// subcommandWords completes what follows a subcommand: the names of runs.
func (a *app) subcommandWords(name string) []string {
	o := &options{}
	words := flagNames(newFlags(name, o))
	if name == "show" || name == "rollback" {
		state, err := o.state(a.environ)
		if err != nil {
			return words
		}
		records, _ := state.Runs()
		for _, r := range records {
			words = append(words, r.Run.ID)
		}
	}
	return words
}

func isCommand(word string) bool {
	return slices.ContainsFunc(commands(), func(c command) bool { return c.name == word })
}

func flagNames(set *pflag.FlagSet) []string {
	var names []string
	set.VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			names = append(names, "--"+f.Name)
		}
	})
	return names
}

// onDisk lists the recipes of this directory and of recipes/ in it.
func onDisk() []string {
	var names []string
	for _, pattern := range []string{"*.star", "recipes/*.star"} {
		found, _ := filepath.Glob(pattern)
		for _, name := range found {
			if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
				names = append(names, filepath.ToSlash(name))
			}
		}
	}
	return names
}
