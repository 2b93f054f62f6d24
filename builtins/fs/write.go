package fs

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type writeArgs struct {
	Path    string           `arg:"path" doc:"the file; its directory must exist"`
	Content string           `arg:"content" doc:"all that is to be in it"`
	Mode    runtime.FileMode `arg:"mode" default:"" doc:"permission bits, such as \"0600\"; None keeps those of the file, and of a new one makes 0644"`
	Owner   string           `arg:"owner" default:"" doc:"a user by name or number; empty keeps the owner"`
	Group   string           `arg:"group" default:"" doc:"a group by name or number; empty keeps the group"`
}

var writeBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.write", Returns: changedDoc, Permission: "fs.write on path", Undo: runtime.Exact,
	Doc: "Writes a file, if it is not already so. Whoever reads the file finds the old content or the new one, never " +
		"a part. A link is replaced by the file, not followed. With a mode for the owner alone (\"0600\") what was in the " +
		"file before is kept encrypted, and a preview hides its values.",
	Example: `fs.write("/etc/app/app.env", text.dotenv(settings), mode = "0600", owner = "app")`,
}, func(c *runtime.Call, a writeArgs) (starlark.Value, error) {
	t, err := fileAt(c, a.Path)
	if err != nil {
		return nil, err
	}
	uid, gid, err := filesys.Read(c.Reader()).LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	f := &file{path: t.path, content: []byte(a.Content), mode: a.Mode, uid: uid, gid: gid}
	return c.Do(&writing{call: "fs.write", target: t, file: f})
})

// writing is the change of one file: fs.write and fs.copy.
type writing struct {
	call   string
	target target
	file   *file
	secret bool
}

// Describe implements [runtime.Change].
func (w *writing) Describe() runtime.Description {
	return runtime.Description{Call: w.call, Target: w.target.path, Needs: w.target.needs, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (w *writing) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	if err := w.file.probe(v); err != nil {
		return runtime.Finding{}, err
	}
	if err := checkRoom(v, []*file{w.file}); err != nil {
		return runtime.Finding{}, err
	}
	diff, err := w.file.diff(v)
	if err != nil {
		return runtime.Finding{}, err
	}
	found := runtime.Finding{
		Needed: w.file.action != keep, Summary: w.file.summary(v), Diff: diff, Value: result(w.file.path, false),
	}
	if w.file.blind {
		found.Assumed = fmt.Sprintf("that %s is to be written: what is there is known only in a run", w.file.path)
	}
	return found, nil
}

// Undo implements [runtime.Change].
func (w *writing) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	w.secret = filesys.Private(w.file.newMode()) || k.Secret(w.file.content)
	switch w.file.action {
	case create:
		return filesys.UndoCreated(k, w.file.path), nil
	case dress:
		return filesys.UndoMeta([]filesys.Info{w.file.old}), nil
	}
	return filesys.KeepFile(ctx, k, w.file.path)
}

// Apply implements [runtime.Change].
func (w *writing) Apply(ctx context.Context, wr *runtime.Writer) (runtime.Applied, error) {
	files := []*file{w.file}
	if err := apply(ctx, filesys.Writable(wr), files); err != nil {
		return runtime.Applied{}, err
	}
	after, err := left(files, func(*file) bool { return w.secret })
	return runtime.Applied{Value: result(w.file.path, true), After: after}, err
}

// Predict implements [runtime.Change].
func (w *writing) Predict(world *runtime.World) (starlark.Value, error) {
	return result(w.file.path, true), predict(filesys.Predicted(world), []*file{w.file})
}
