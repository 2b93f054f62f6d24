package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/recipes"
	"github.com/infrarun/infrarun/runtime"
)

// builtinRecipes lists the recipes that are built in.
func builtinRecipes() []string {
	names, _ := fs.Glob(recipes.FS, "*.star")
	for i, name := range names {
		names[i] = "recipes/" + name
	}
	return names
}

// init writes copies of the built-in recipes, to edit.
func (a *app) init(_ context.Context, args []string) int {
	o := &options{}
	set := newFlags("init", o)
	dir, code, ok := a.subcommand(set, o, args, "DIR",
		"Write copies of the built-in recipes to DIR, to edit. A file that is there already is not replaced.", 1, 1)
	if !ok {
		return code
	}
	written, err := copyRecipes(dir[0])
	if err != nil {
		return a.errorf("init %s: %v", dir[0], err)
	}
	fmt.Fprintf(a.stdout, "Wrote %d files to %s.\n\nNext:\n  infrarun %s --dry-run\n",
		written, dir[0], filepath.Join(dir[0], "deploy.star"))
	return runtime.ExitDone
}

// copyRecipes writes every file or, if one of them is there already, none.
func copyRecipes(dir string) (int, error) {
	var names []string
	err := fs.WalkDir(recipes.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		names = append(names, name)
		if _, err := os.Lstat(filepath.Join(dir, name)); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is there already; nothing was written", filepath.Join(dir, name))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		data, err := fs.ReadFile(recipes.FS, name)
		if err != nil {
			return 0, err
		}
		to := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return 0, err
		}
		if err := os.WriteFile(to, data, 0o644); err != nil {
			return 0, err
		}
	}
	return len(names), nil
}
