package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/recipes"
)

// init writes copies of the built-in recipes, to edit.
func (a *app) init(_ context.Context, args []string) int {
	o := &options{}
	set := o.subcommandFlags("init")
	dir, code, ok := a.arguments(set, o, args, "DIR",
		"Write copies of the built-in recipes to DIR, to edit. If one of the files is there already, nothing is written.", 1, 1)
	if !ok {
		return code
	}
	written, err := copyRecipes(dir[0])
	if err != nil {
		return a.fail(o, fmt.Errorf("init %s: %w", dir[0], err))
	}
	return a.print(o, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "Wrote %d files to %s; README.md there says what they are.\n\nNext:\n  infrarun %s --dry-run\n",
			written, dir[0], filepath.Join(dir[0], filepath.Base(deployRecipe)))
		return err
	})
}

// copyRecipes writes every file or, if one of them is there already, none. It returns how many.
func copyRecipes(dir string) (int, error) {
	if info, err := os.Stat(dir); err == nil && !info.IsDir() {
		return 0, errors.New("it is there already, and is no directory")
	}
	var names []string
	err := fs.WalkDir(recipes.FS, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		names = append(names, name)
		_, err = os.Lstat(filepath.Join(dir, name))
		switch {
		case err == nil:
			return fmt.Errorf("%s is there already; nothing was written", filepath.Join(dir, name))
		case !errors.Is(err, fs.ErrNotExist):
			return err
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		if err := copyRecipe(name, filepath.Join(dir, name)); err != nil {
			return 0, err
		}
	}
	return len(names), nil
}

// copyRecipe writes one file, which must not exist.
func copyRecipe(name, to string) error {
	data, err := fs.ReadFile(recipes.FS, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
