package fs

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type removeArgs struct {
	Path      string `arg:"path" doc:"a file, a link, or a directory with all that is below it"`
	MissingOK bool   `arg:"missing_ok" default:"true" doc:"find nothing to do if it is not there; else that is an error"`
}

var removeBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.remove", Returns: changedDoc, Permission: "fs.write on path; of a link on the link itself, not on what it leads to", Undo: runtime.Exact,
	Doc: "Removes a file, a link, or a directory with all that is below it. It is moved out of the way and kept as long " +
		"as the run can be rolled back; what this run itself has made is deleted. Directories of the system and home " +
		"directories are refused.",
}, func(c *runtime.Call, a removeArgs) (starlark.Value, error) {
	t, err := entryAt(c, a.Path)
	if err != nil {
		return nil, err
	}
	return c.Do(&removing{target: t, missingOK: a.MissingOK})
})

// removing is the change of fs.remove.
type removing struct {
	target    target
	missingOK bool
	removal   *filesys.Removal // nil in a rollback, which keeps nothing to undo it with
}

// Describe implements [runtime.Change].
func (m *removing) Describe() runtime.Description {
	return runtime.Description{Call: "fs.remove", Target: m.target.path, Needs: m.target.needs, Tree: true, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (m *removing) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Value: result(m.target.path, false)}
	if err := v.RefuseWhole(m.target.path); err != nil {
		return found, err
	}
	i, err := v.Lstat(m.target.path)
	switch {
	case isNotExist(err) && m.missingOK:
		found.Summary = "not there"
		return found, nil
	case isUnknown(err):
		found.Needed, found.Summary = true, "what is there by then"
		found.Assumed = fmt.Sprintf("that there is something at %s: that is known only in a run", m.target.path)
		return found, nil
	case err != nil:
		return found, err
	}
	found.Needed, found.Summary = true, describe(v, i)
	return found, nil
}

// describe says what is about to go.
func describe(v *filesys.View, i filesys.Info) string {
	switch i.Kind {
	case filesys.File:
		if i.Opaque == "" {
			return "file, " + filesys.Bytes(i.Size)
		}
		return i.Opaque
	case filesys.Link:
		return "link to " + i.Target
	case filesys.Dir:
		if names, err := v.Names(i.Path); err == nil {
			return fmt.Sprintf("directory with %d entries", len(names))
		}
		return "directory"
	}
	return "socket, pipe or device"
}

// Undo implements [runtime.Change].
func (m *removing) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	removal, undo, err := filesys.Removing(k, m.target.path)
	m.removal = &removal
	return undo, err
}

// Apply implements [runtime.Change].
func (m *removing) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := takeAway(ctx, filesys.Writable(w), m.removal, m.target.path); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(m.target.path)
	return runtime.Applied{Value: result(m.target.path, true), After: after}, err
}

// takeAway carries out a removal, or in a rollback one that was not prepared.
func takeAway(ctx context.Context, x *filesys.Writer, prepared *filesys.Removal, path string) error {
	if prepared == nil {
		return x.Discard(ctx, path)
	}
	return x.Remove(ctx, *prepared)
}

// Predict implements [runtime.Change].
func (m *removing) Predict(world *runtime.World) (starlark.Value, error) {
	return result(m.target.path, true), filesys.Predicted(world).Remove(m.target.path)
}
