package exec

import (
	"context"
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

var _ runtime.Change = (*command)(nil)

// Describe implements runtime.Change.
func (cmd *command) Describe() runtime.Description {
	d := runtime.Description{
		Call: "exec.run", Target: cmd.name(), Needs: cmd.needs(), Undo: runtime.NoUndo,
		Tree: len(cmd.creates) > 0, // what is created may be a tree
	}
	switch {
	case cmd.undo != nil:
		d.Undo, d.UndoNote = runtime.Compensating, "runs "+child.Quote(cmd.undo)
	case len(cmd.creates) > 0:
		d.Undo, d.UndoNote = runtime.Compensating, "removes what it creates"
	default:
		d.UndoNote = "what a command did is undone only if the recipe says how, with undo or creates"
	}
	for _, c := range cmd.creates {
		d.Touches = append(d.Touches, c.path)
	}
	return d
}

// Probe implements runtime.Change.
func (cmd *command) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Needed: true, Summary: "in " + cmd.spec.Dir}
	if cmd.title != "" {
		found.Summary = cmd.text() + ", in " + cmd.spec.Dir
	}
	if cmd.spec.User != "" {
		found.Summary += ", as user " + cmd.spec.User
	}
	doubt, err := cmd.look(filesys.Read(r))
	if err != nil {
		return found, err
	}
	if len(cmd.creates) > 0 && doubt == "" && !anyMissing(cmd.creates) {
		found.Needed, found.Summary = false, "what it creates is there"
		found.Value = valueOf(child.Result{}, cmd.text())
		return found, nil
	}
	if err := cmd.startable(r); err != nil {
		if !r.Preview() {
			return found, err
		}
		doubt = joinDoubts(doubt, fmt.Sprintf("%s can run by then, which now it could not: %s", cmd.name(), err))
	}
	found.Assumed = doubt
	if cmd.assumed.given {
		found.Assumed = joinDoubts(doubt, fmt.Sprintf("%s ends with exit status %d", cmd.name(), cmd.assumed.result.Code))
	}
	return found, nil
}

// Undo implements runtime.Change.
func (cmd *command) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return cmd.undoRecord(k)
}

// Apply implements runtime.Change.
func (cmd *command) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	spec := cmd.spec
	spec.Line = w.Output
	result, err := child.NewRunner(w).Run(ctx, spec)
	if err := cmd.judge(err); err != nil {
		return runtime.Applied{}, err
	}
	if result.Cut {
		w.Warn("%s: of its output only the first %d MiB are kept", cmd.name(), child.MaxOutput>>20)
	}
	if result.Left {
		w.Warn("%s: it left something running that holds its output open", cmd.name())
	}
	if result.Code == 0 {
		if err := cmd.kept(); err != nil {
			return runtime.Applied{}, err
		}
	}
	return runtime.Applied{Value: valueOf(result, cmd.text())}, nil
}

// judge lets a failing command pass if its caller wants to look at the exit status.
func (cmd *command) judge(err error) error {
	if !cmd.check && errors.As(err, new(*child.ExitError)) {
		return nil
	}
	return err
}

// Predict implements runtime.Change.
func (cmd *command) Predict(w *runtime.World) (starlark.Value, error) {
	if err := cmd.predictCreated(filesys.Predicted(w)); err != nil {
		return nil, err
	}
	if !cmd.assumed.given {
		return runtime.NewUnknown(fmt.Sprintf("the result of exec.run(%s)", cmd.text()),
			"a preview does not run the command: give preview = exec.result(stdout = …), what to assume, or read_only = True "+
				"if it changes nothing"), nil
	}
	return cmd.assume()
}

// assume gives what a preview takes for the result.
func (cmd *command) assume() (starlark.Value, error) {
	r := cmd.assumed.result
	if r.Code != 0 && cmd.check {
		return nil, fmt.Errorf("%s: %w", cmd.name(), &child.ExitError{Code: r.Code, Last: []string{"(as preview = exec.result(…) says)"}})
	}
	return valueOf(r, cmd.text()), nil
}

func joinDoubts(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
