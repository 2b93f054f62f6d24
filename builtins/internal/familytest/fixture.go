// Package familytest runs recipes through the real kernel, for the tests of the families of builtins.
//
//	f := familytest.New(t, fs.Family())
//	f.Grant("exec", "git")
//	r := f.Run(`fs.write(DIR + "/app.conf", "port = 80\n")`)
//	r.Want(events.Succeeded)
//	f.Rollback().Want(events.Restored)
//
// A recipe is either a whole module, recognised by its main function, or only what stands in main. A
// fixture has a directory of its own, DIR in the recipes, which they may write to, and a state directory
// outside of it. Beside the families of the test a recipe sees the family test, which compares values; see
// builtins.go.
//
// The package knows no family, and only tests import it.
package familytest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// Fixture is a host with some families, a state directory and a directory to work in.
type Fixture struct {
	Dir   string // an empty directory, DIR in recipes; they may write to it
	State *runtime.State
	Host  *runtime.Host
	// UI answers the questions of recipes; nil where none is asked.
	UI runtime.UI

	t       testing.TB
	recipes fstest.MapFS
	grants  map[string][]string
}

// New returns a fixture whose host has these families.
func New(t testing.TB, families ...*runtime.Family) *Fixture {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	f := &Fixture{t: t, Dir: filepath.Join(base, "dir"), recipes: fstest.MapFS{}, grants: map[string][]string{}}
	if err := os.Mkdir(f.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if f.State, err = runtime.OpenState(filepath.Join(base, "state")); err != nil {
		t.Fatal(err)
	}
	all := append([]*runtime.Family{testFamily(families)}, families...)
	if f.Host, err = runtime.NewHost("test", all, fstest.MapFS{}, f.recipes); err != nil {
		t.Fatal(err)
	}
	return f.Grant("fs.write", f.Dir)
}

// Base returns the directory that holds DIR and the state directory, for [Fixture.Reopen].
func (f *Fixture) Base() string { return filepath.Dir(f.Dir) }

// Reopen lets the fixture work in the directories of another one, which may be of another process.
func (f *Fixture) Reopen(base string) {
	f.t.Helper()
	var err error
	if f.State, err = runtime.OpenState(filepath.Join(base, "state")); err != nil {
		f.t.Fatal(err)
	}
	f.Dir = filepath.Join(base, "dir")
	f.grants["fs.write"] = []string{f.Dir}
}

// Grant adds to what the recipes declare in PERMISSIONS, where they are not whole modules.
func (f *Fixture) Grant(kind string, patterns ...string) *Fixture {
	f.grants[kind] = append(f.grants[kind], patterns...)
	return f
}

// Module adds a module that recipes can load as //name.
func (f *Fixture) Module(name, source string) {
	f.recipes[name] = &fstest.MapFile{Data: []byte(source)}
}

// Preview executes a recipe as a preview.
func (f *Fixture) Preview(recipe string) *Result {
	f.t.Helper()
	return f.execute(f.t.Context(), recipe, (*runtime.Recipe).Preview)
}

// Run executes a recipe.
func (f *Fixture) Run(recipe string) *Result {
	f.t.Helper()
	return f.RunContext(f.t.Context(), recipe)
}

// RunContext executes a recipe under a context, which further sinks may cancel when they see an event.
func (f *Fixture) RunContext(ctx context.Context, recipe string, sinks ...events.Sink) *Result {
	f.t.Helper()
	return f.execute(ctx, recipe, (*runtime.Recipe).Run, sinks...)
}

// Rollback undoes the newest run, as infrarun rollback does.
func (f *Fixture) Rollback() *Result { return f.rollback(runtime.Options{}) }

// ForceRollback undoes the newest run whatever has changed since.
func (f *Fixture) ForceRollback() *Result { return f.rollback(runtime.Options{Force: true}) }

// RollbackAlso undoes the newest run, and things that a rollback otherwise keeps.
func (f *Fixture) RollbackAlso(things ...string) *Result {
	return f.rollback(runtime.Options{Also: things})
}

func (f *Fixture) rollback(opts runtime.Options) *Result {
	r := &Result{t: f.t}
	opts.State, opts.UI, opts.Sinks = f.State, f.UI, []events.Sink{&r.Collector}
	r.Outcome = f.Host.Rollback(context.WithoutCancel(f.t.Context()), "", opts)
	return r
}

type execution func(*runtime.Recipe, context.Context, runtime.Values, runtime.Options) events.Outcome

func (f *Fixture) execute(ctx context.Context, recipe string, how execution, sinks ...events.Sink) *Result {
	f.t.Helper()
	const name = "recipes/test.star"
	f.Module("test.star", f.module(recipe))
	loaded, err := f.Host.Load(ctx, name, "", "")
	if err != nil {
		f.t.Fatalf("load the recipe: %v", err)
	}
	r := &Result{t: f.t}
	sinks = append([]events.Sink{&r.Collector}, sinks...)
	r.Outcome = how(loaded, ctx, runtime.Values{}, runtime.Options{State: f.State, UI: f.UI, Sinks: sinks})
	return r
}

// module makes a recipe of what stands in main.
func (f *Fixture) module(body string) string {
	dir := fmt.Sprintf("DIR = %q\n", f.Dir)
	if strings.Contains(body, "def main(") {
		return dir + body
	}
	var text strings.Builder
	text.WriteString(dir + "PERMISSIONS = {\n")
	for _, kind := range slices.Sorted(maps.Keys(f.grants)) {
		fmt.Fprintf(&text, "    %q: [%s],\n", kind, quoted(f.grants[kind]))
	}
	text.WriteString("}\n\ndef main(ctx):\n")
	for line := range strings.Lines(body) {
		text.WriteString("    " + line)
	}
	return text.String() + "\n"
}

func quoted(texts []string) string {
	out := make([]string, len(texts))
	for i, s := range texts {
		out[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(out, ", ")
}
