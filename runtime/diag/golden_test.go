package diag

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"
)

var update = flag.Bool("update", false, "write what comes out to the golden files")

// Every archive in testdata has recipes, of which main.star is run, and, last, in "want" what is then shown.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			inputs, want, ok := strings.Cut(string(text), wantLine)
			if !ok {
				t.Fatalf("%s has no %q", file, wantLine)
			}
			h := &host{files: archived(inputs)}
			_, runErr := h.exec("main.star")
			if runErr == nil {
				t.Fatal("main.star has no error")
			}
			var b strings.Builder
			From(runErr, h.source, Known(h.names)).Write(&b, false)
			if *update {
				if err := os.WriteFile(file, []byte(inputs+wantLine+b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got := b.String(); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

const wantLine = "-- want --\n"

// archived reads the files of a txtar archive.
func archived(text string) map[string]string {
	files := map[string]string{}
	name := ""
	for line := range strings.Lines(text) {
		if file, ok := strings.CutPrefix(line, "-- "); ok {
			name = strings.TrimSuffix(file, " --\n")
		} else if name != "" {
			files[name] += line
		}
	}
	return files
}

// host runs recipes from memory, with a few builtins.
type host struct{ files map[string]string }

func (h *host) source(file string) (string, bool) {
	text, ok := h.files[file]
	return text, ok
}

func (h *host) names() []string { return h.predeclared().Keys() }

// exec runs a file on a thread of its own, as loads do.
func (h *host) exec(file string) (starlark.StringDict, error) {
	text, ok := h.files[file]
	if !ok {
		return nil, errors.New("no such file")
	}
	thread := &starlark.Thread{Name: file, Load: func(_ *starlark.Thread, module string) (starlark.StringDict, error) {
		globals, err := h.exec(module)
		if err != nil {
			return nil, fmt.Errorf("module %s: %w", module, err)
		}
		return globals, nil
	}}
	return starlark.ExecFileOptions(&syntax.FileOptions{}, thread, file, text, h.predeclared())
}

type hintedError struct{ message, hint string }

func (e *hintedError) Error() string { return e.message }
func (e *hintedError) Hint() string  { return e.hint }

func (h *host) predeclared() starlark.StringDict {
	builtin := func(name string, fn func(thread *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) *starlark.Builtin {
		return starlark.NewBuiltin(name, func(thread *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return fn(thread, args, kwargs)
		})
	}
	return starlark.StringDict{
		"fs": &starlarkstruct.Module{Name: "fs", Members: starlark.StringDict{
			"write": builtin("fs.write", func(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				var path, text string
				if err := starlark.UnpackArgs("fs.write", args, kwargs, "path", &path, "text", &text); err != nil {
					return nil, err
				}
				return nil, fmt.Errorf("fs.write: %w", &hintedError{"write " + path + ": no space left on device", "free some space"})
			}),
		}},
		// step calls a function and says in which step it failed.
		"step": builtin("step", func(thread *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			v, err := starlark.Call(thread, args[1], nil, nil)
			if err != nil {
				return nil, fmt.Errorf("step %s: %w", args[0], err)
			}
			return v, nil
		}),
		// parallel calls functions on threads of their own.
		"parallel": builtin("parallel", func(_ *starlark.Thread, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			var errs []error
			for _, fn := range args {
				_, err := starlark.Call(&starlark.Thread{}, fn, nil, nil)
				errs = append(errs, err)
			}
			return starlark.None, errors.Join(errs...)
		}),
	}
}
