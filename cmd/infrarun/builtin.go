package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/recipes"
)

// deployRecipe is the built-in recipe that the help begins with.
const deployRecipe = "recipes/deploy.star"

// builtinRecipe is a recipe that is part of infrarun.
type builtinRecipe struct{ name, summary string }

// builtinRecipes lists them. What has no main is a part of one.
func builtinRecipes() []builtinRecipe {
	names, _ := fs.Glob(recipes.FS, "*.star") // the pattern is proper
	var found []builtinRecipe
	for _, name := range names {
		text, err := fs.ReadFile(recipes.FS, name)
		if err == nil && strings.Contains(string(text), "\ndef main(") {
			found = append(found, builtinRecipe{"recipes/" + name, summary(string(text))})
		}
	}
	return found
}

// summary is the first sentence of the docstring of a module.
func summary(source string) string {
	doc, ok := strings.CutPrefix(source, `"""`)
	if !ok {
		return ""
	}
	doc, _, _ = strings.Cut(doc, `"""`)
	doc, _, _ = strings.Cut(doc, "\n\n")
	doc = strings.Join(strings.Fields(doc), " ")
	if first, _, more := strings.Cut(doc, ". "); more {
		return first + "."
	}
	return doc
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
