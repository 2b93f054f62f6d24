package fs

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type moveArgs struct {
	Src string `arg:"src" doc:"the file or directory to move"`
	Dst string `arg:"dst" doc:"its new path, at which nothing may be; not the directory to put it in"`
}

var moveBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.move", Returns: changedDoc, Permission: "fs.write on src and dst; of a link on the link itself, not on what it leads to", Undo: runtime.Exact,
	Doc: "Moves a file or directory, also to another file system. If src is gone and dst is there it has been moved " +
		"already. A link is moved itself.",
}, func(c *runtime.Call, a moveArgs) (starlark.Value, error) {
	src, err := entryAt(c, a.Src)
	if err != nil {
		return nil, err
	}
	dst, err := entryAt(c, a.Dst)
	if err != nil {
		return nil, err
	}
	return c.Do(&moving{src: src, dst: dst})
})

// moving is the change of fs.move.
type moving struct{ src, dst target }

// Describe implements [runtime.Change].
func (m *moving) Describe() runtime.Description {
	return runtime.Description{
		Call: "fs.move", Target: m.src.path, Touches: []string{m.dst.path},
		Needs: append(m.src.needs, m.dst.needs...), Tree: true, Undo: runtime.Exact,
	}
}

// Probe implements [runtime.Change].
func (m *moving) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Needed: true, Summary: "to " + m.dst.path, Value: result(m.dst.path, false)}
	src, serr := v.Lstat(m.src.path)
	_, derr := v.Lstat(m.dst.path)
	switch {
	case isNotExist(serr) && derr == nil:
		found.Needed, found.Summary = false, "already at "+m.dst.path
		return found, nil
	case serr != nil:
		return found, serr
	case derr == nil:
		return found, fmt.Errorf("there is something at %s already; remove it first", m.dst.path)
	case isUnknown(derr):
		found.Assumed = fmt.Sprintf("that nothing is at %s: that is known only in a run", m.dst.path)
	case !isNotExist(derr):
		return found, derr
	}
	if src.Kind == filesys.Dir {
		if err := v.RefuseWhole(m.src.path); err != nil {
			return found, err
		}
		if isIn(m.dst.path, m.src.path) {
			return found, fmt.Errorf("%s lies in it: a directory cannot be moved into itself", m.dst.path)
		}
	}
	return found, parentThere(v, m.dst.path)
}

// Undo implements [runtime.Change].
func (m *moving) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.UndoMoved(k, m.src.path, m.dst.path), nil
}

// Apply implements [runtime.Change].
func (m *moving) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := filesys.Writable(w).Rename(ctx, m.src.path, m.dst.path); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(m.src.path, m.dst.path)
	return runtime.Applied{Value: result(m.dst.path, true), After: after}, err
}

// Predict implements [runtime.Change].
func (m *moving) Predict(world *runtime.World) (starlark.Value, error) {
	return result(m.dst.path, true), filesys.Predicted(world).Rename(m.src.path, m.dst.path)
}
