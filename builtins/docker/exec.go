package docker

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

type execArgs struct {
	Name     string            `arg:"name" doc:"the container's name"`
	Argv     runtime.Strings   `arg:"argv" doc:"the command and its arguments, as the container has them"`
	ReadOnly bool              `arg:"read_only" default:"false" doc:"whether it changes nothing: then it is no change, and runs in a preview too"`
	User     string            `arg:"user" default:"" doc:"who runs it, as name, number or 1000:1000; by default as the container says"`
	Env      runtime.StringMap `arg:"env" default:"" doc:"further variables"`
	Workdir  string            `arg:"workdir" default:"" doc:"where it runs"`
	Timeout  runtime.Seconds   `arg:"timeout" default:"10m" doc:"how long it may take, in seconds; 0: as long as it likes"`
	Check    bool              `arg:"check" default:"true" doc:"whether an exit status other than 0 is an error"`
}

var execBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.exec", Returns: "struct(ok, code, stdout, stderr, command)", Permission: containerPermission, Undo: runtime.NoUndo,
	Doc: "Runs a command in a container that runs, and shows what it prints. Nothing undoes it. A preview does not run it, unless " +
		"it is declared read_only: declare that only if it is true. One that takes longer than timeout is an error, and may go on " +
		"in the container, since the engine cannot end it.",
	Example: `docker.exec("db", ["pg_isready"], read_only = True)` + "\n" + `docker.exec("console", ["/app", "migrate"])`,
}, func(c *runtime.Call, a execArgs) (starlark.Value, error) {
	if len(a.Argv) == 0 || a.Argv[0] == "" {
		return nil, errors.New("argv is empty")
	}
	env, err := environment(a.Env)
	if err != nil {
		return nil, err
	}
	x := &execute{name: a.Name, check: a.Check, readOnly: a.ReadOnly, cmd: engine.Command{
		Argv: a.Argv, Env: env, User: a.User, Workdir: a.Workdir, Timeout: a.Timeout.Duration,
	}}
	if !a.ReadOnly {
		return c.Do(x)
	}
	if err := c.Need(needContainer(a.Name)); err != nil {
		return nil, err
	}
	x.cmd.Line = func(stream, line string) {
		c.Emit(events.Event{Kind: events.Output, Stream: stream, Source: a.Name, Text: line, Level: "debug"})
	}
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		if err := x.find(ctx, e, c.Reader()); err != nil {
			return nil, err
		}
		if !x.found.runsAlready() {
			return runtime.NewUnknown("what "+child.Quote(a.Argv)+" gives in container "+a.Name,
				"the run makes or starts the container: leave it out in a preview"), nil
		}
		return x.run(ctx, e)
	})
})

// execute is the change that runs a command in a container.
type execute struct {
	name            string
	cmd             engine.Command
	check, readOnly bool

	found seenContainer
}

func (x *execute) find(ctx context.Context, e *engine.Client, r *runtime.Reader) (err error) {
	if x.found, err = lookContainer(ctx, e, r, x.name); err != nil {
		return err
	}
	return x.found.mustRun(x.name)
}

// mustRun is an error unless the container runs.
func (s seenContainer) mustRun(name string) error {
	switch {
	case !s.there:
		return noContainer(name)
	case !s.running:
		return fmt.Errorf("container %s does not run, it is %s; docker.start starts it", name, s.status())
	}
	return nil
}

// run runs the command.
func (x *execute) run(ctx context.Context, e *engine.Client) (starlark.Value, error) {
	ended, err := e.Exec(ctx, x.found.real.ID, x.cmd)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", child.Quote(x.cmd.Argv), err)
	}
	if ended.Code != 0 && x.check {
		last := engine.LastLines(ended.Stdout+ended.Stderr, shownLines)
		return nil, fmt.Errorf("%s ended with exit status %d\n  %s", child.Quote(x.cmd.Argv), ended.Code, strings.Join(last, "\n  "))
	}
	return structOf(starlark.StringDict{
		"ok": starlark.Bool(ended.Code == 0), "code": starlark.MakeInt(ended.Code), "stdout": starlark.String(ended.Stdout),
		"stderr": starlark.String(ended.Stderr), "command": starlark.String(child.Quote(x.cmd.Argv)),
	}), nil
}

// Describe implements [runtime.Change].
func (x *execute) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.exec", Target: x.name, Needs: []policy.Need{needContainer(x.name)}, Undo: runtime.NoUndo,
	}
}

// Probe implements [runtime.Change].
func (x *execute) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		return runtime.Finding{Needed: true, Summary: child.Quote(x.cmd.Argv)}, x.find(ctx, e, r)
	})
}

// Undo implements [runtime.Change].
func (x *execute) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) { return nil, nil }

// Apply implements [runtime.Change].
func (x *execute) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	e, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer e.Close()
	x.cmd.Line = w.Output
	v, err := x.run(ctx, e.Client)
	return runtime.Applied{Value: v}, err
}

// Predict implements [runtime.Change].
func (x *execute) Predict(*runtime.World) (starlark.Value, error) {
	return runtime.NewUnknown("what "+child.Quote(x.cmd.Argv)+" gives in container "+x.name,
		"declare it read_only if it changes nothing, or do without its result"), nil
}
