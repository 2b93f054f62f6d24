package runtime

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/spf13/pflag"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

// lab runs recipes through the real kernel, with the family box: see box_test.go.
type lab struct {
	t       testing.TB
	dir     string // DIR in recipes, which they may change
	recipes string // the directory of the recipes
	state   *State
	host    *Host
	box     *box
	stdlib  fstest.MapFS
	inside  fstest.MapFS // embedded recipes

	ui     UI
	policy string // a file
	site   string // a file
	force  bool
	also   []string
}

func newLab(t testing.TB) *lab {
	t.Helper()
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{
		t: t, dir: filepath.Join(base, "machine"), recipes: filepath.Join(base, "recipes"),
		box: newBox(), stdlib: fstest.MapFS{}, inside: fstest.MapFS{},
	}
	for _, dir := range []string{l.dir, l.recipes} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if l.state, err = OpenState(filepath.Join(base, "state")); err != nil {
		t.Fatal(err)
	}
	l.restart()
	return l
}

// restart makes a new host, as another process would have.
func (l *lab) restart() {
	l.t.Helper()
	host, err := NewHost("test", []*Family{l.box.family()}, l.stdlib, l.inside)
	if err != nil {
		l.t.Fatal(err)
	}
	host.dir = l.recipes
	l.host = host
}

// write writes a file of the recipes' directory.
func (l *lab) write(name, text string) string {
	l.t.Helper()
	name = filepath.Join(l.recipes, name)
	writeFile(l.t, name, text)
	return name
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// module makes a recipe of what stands in main; a text with a main function is one already.
func (l *lab) module(body string) string {
	dir := fmt.Sprintf("DIR = %q\n", l.dir)
	if strings.Contains(body, "def main(") {
		return dir + body
	}
	text := dir + "PERMISSIONS = {\"box\": [DIR]}\ndef main(ctx):\n"
	for line := range strings.Lines(body) {
		text += "    " + line
	}
	return text + "\n"
}

// load loads a recipe, which is main.star, and resolves its parameters from arguments.
func (l *lab) load(body string, args ...string) (*Recipe, Values, error) {
	l.t.Helper()
	return l.loadFile(l.write("main.star", l.module(body)), args...)
}

func (l *lab) loadFile(name string, args ...string) (*Recipe, Values, error) {
	return l.loadEnv(name, nil, args...)
}

func (l *lab) loadEnv(name string, environ []string, args ...string) (*Recipe, Values, error) {
	l.t.Helper()
	policy := l.policy
	if policy == "" {
		if _, err := os.Stat(DefaultPolicy); err == nil {
			const why = "this machine has a policy of its own, which would bound the test"
			if os.Getenv("CI") == "true" {
				l.t.Fatal("cannot run here, but must with CI=true: " + why)
			}
			l.t.Skip(why)
		}
	}
	r, err := l.host.Load(l.t.Context(), name, l.site, policy)
	if err != nil {
		return r, nil, err
	}
	set := pflag.NewFlagSet("test", pflag.ContinueOnError)
	flags := r.AddFlags(set)
	if err := set.Parse(args); err != nil {
		return r, nil, err
	}
	if err := flags.Positional(set.Args()); err != nil {
		return r, nil, err
	}
	values, err := r.Resolve(l.t.Context(), flags, environ)
	return r, values, err
}

func (l *lab) options(r *result, sinks ...events.Sink) Options {
	return Options{State: l.state, UI: l.ui, Sinks: append([]events.Sink{&r.Collector}, sinks...), Force: l.force, Also: l.also}
}

type execution func(*Recipe, context.Context, Values, Options) events.Outcome

func (l *lab) execute(ctx context.Context, how execution, body string, args []string, sinks ...events.Sink) *result {
	l.t.Helper()
	recipe, values, err := l.load(body, args...)
	if err != nil {
		l.t.Fatalf("load: %v", err)
	}
	r := &result{t: l.t}
	r.Outcome = how(recipe, ctx, values, l.options(r, sinks...))
	return r
}

func (l *lab) run(body string, args ...string) *result {
	l.t.Helper()
	return l.execute(l.t.Context(), (*Recipe).Run, body, args)
}

func (l *lab) preview(body string, args ...string) *result {
	l.t.Helper()
	return l.execute(l.t.Context(), (*Recipe).Preview, body, args)
}

// rollback undoes a run as another process would.
func (l *lab) rollback(id string) *result {
	l.t.Helper()
	l.restart()
	r := &result{t: l.t}
	r.Outcome = l.host.Rollback(l.t.Context(), id, l.options(r))
	return r
}

// path returns the path of a name in DIR.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// tree describes DIR: a line for each file with its content.
func (l *lab) tree() string {
	l.t.Helper()
	var lines strings.Builder
	err := filepath.WalkDir(l.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		rel, _ := filepath.Rel(l.dir, path)
		fmt.Fprintf(&lines, "%s=%s\n", rel, data)
		return err
	})
	if err != nil {
		l.t.Fatal(err)
	}
	return lines.String()
}

func (l *lab) wantTree(want string) {
	l.t.Helper()
	if got := l.tree(); got != want {
		l.t.Fatalf("DIR has\n%s\nwant\n%s", got, want)
	}
}

// record returns the newest run's run.json.
func (l *lab) record() Record {
	l.t.Helper()
	runs, err := l.state.Runs()
	if err != nil || len(runs) == 0 {
		l.t.Fatalf("there is no run: %v", err)
	}
	return runs[0]
}

// journal returns what the journal of the newest run says.
func (l *lab) journal() *journal.State {
	l.t.Helper()
	st, err := journal.Read(l.state.RunDir(l.record().Run.ID))
	if err != nil {
		l.t.Fatal(err)
	}
	return st
}
