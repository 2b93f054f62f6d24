package pkg

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type updateArgs struct {
	MaxAge runtime.Seconds `arg:"max_age" default:"1h" doc:"how old the lists may be, in seconds, for nothing to be done"`
	Wait   runtime.Seconds `arg:"wait" default:"5m" doc:"how long to wait for others that use the package manager, in seconds"`
}

func updateBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.update", Undo: runtime.NoUndo, Permission: "`pkg` on lists", Returns: "struct(changed)",
		Doc: "Fetches the lists of packages that can be installed, unless they are young enough and no source of packages has " +
			"changed since. A source that cannot be fetched is an error. A rollback leaves the new lists.",
		Example: `pkg.update(max_age = "1d")`,
	}, func(c *runtime.Call, a updateArgs) (starlark.Value, error) {
		return c.Do(&updating{maxAge: a.MaxAge.Duration, wait: a.Wait.Duration})
	})
}

// updating is the change that pkg.update makes.
type updating struct {
	maxAge, wait time.Duration

	manager *manager
	stamp   string
}

var _ runtime.Change = (*updating)(nil)

// Describe implements runtime.Change.
func (u *updating) Describe() runtime.Description {
	return runtime.Description{
		Call: "pkg.update", Target: "lists of packages", Needs: []policy.Need{{Kind: permissionKind, Target: "lists"}},
		Undo: runtime.NoUndo, UndoNote: "keeps the new lists",
	}
}

// Probe implements runtime.Change.
func (u *updating) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	var err error
	if u.manager, err = managerOf(v); err != nil {
		return runtime.Finding{}, err
	}
	u.stamp = stampOf(r, u.manager)
	lists, err := freshnessOf(ctx, r, v, u.manager)
	if err != nil {
		return runtime.Finding{}, err
	}
	if lists.young(u.maxAge) {
		return runtime.Finding{Summary: fmt.Sprintf("not older than %v", u.maxAge), Value: changed(false)}, nil
	}
	why := lists.why
	if why == "" {
		why = fmt.Sprintf("older than %v", u.maxAge)
	}
	return runtime.Finding{Needed: true, Summary: "fetch them: " + why}, needRoot()
}

// Undo implements runtime.Change.
func (u *updating) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) { return nil, nil }

// Apply implements runtime.Change.
func (u *updating) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	return runtime.Applied{Value: changed(true)}, newWorker(w, u.manager, u.wait).update(ctx, u.stamp)
}

// Predict implements runtime.Change.
func (u *updating) Predict(w *runtime.World) (starlark.Value, error) {
	predicted(w).refresh()
	return changed(true), nil
}

func changed(yes bool) starlark.Value {
	return structOf(starlark.StringDict{"changed": starlark.Bool(yes)})
}

// needRoot fails for anyone else: packages belong to the machine.
func needRoot() error {
	if os.Geteuid() != 0 {
		return errors.New("only root can change the packages of the machine; run infrarun as root")
	}
	return nil
}

// isExit reports whether an error is that a command ran and failed.
func isExit(err error) bool { return errors.As(err, new(*child.ExitError)) }
