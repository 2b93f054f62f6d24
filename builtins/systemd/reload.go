package systemd

import (
	"context"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// reloadName stands for systemd itself where units are named.
const reloadName = "daemon-reload"

var daemonReloadBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.daemon_reload", Permission: "`systemd` on " + reloadName, Undo: runtime.Compensating,
	Doc: "Has systemd read the files of its units anew. That is needed only after a recipe has changed one without " +
		"systemd.unit, which does it by itself. Undo does it again.",
}, func(c *runtime.Call, _ struct{}) (starlark.Value, error) { return c.Do(reloading{}) })

// reloading is the change of what systemd knows of its units' files.
type reloading struct{}

// Describe implements [runtime.Change].
func (reloading) Describe() runtime.Description {
	return runtime.Description{
		Call: reloadKind, Target: reloadName, Needs: []policy.Need{need(reloadName)},
		Undo: runtime.Compensating, UndoNote: "reads them again",
	}
}

// Probe implements [runtime.Change].
func (reloading) Probe(ctx context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	b, err := connect(ctx)
	if err != nil {
		return runtime.Finding{}, err
	}
	b.close()
	return runtime.Finding{Needed: true, Summary: "read the files of units anew"}, nil
}

// Undo implements [runtime.Change].
func (reloading) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	return &runtime.Undo{Kind: reloadKind, Args: struct{}{}, Note: "reads them again"}, nil
}

// Apply implements [runtime.Change].
func (reloading) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return runtime.Applied{}, undoReload(ctx, w, struct{}{})
}

// Predict implements [runtime.Change].
func (reloading) Predict(*runtime.World) (starlark.Value, error) { return starlark.None, nil }

// undoReload has systemd read its units anew.
func undoReload(ctx context.Context, w *runtime.Writer, _ struct{}) error {
	x, err := newWriter(ctx, w)
	if err != nil {
		return err
	}
	defer x.close()
	return x.reload(ctx)
}
