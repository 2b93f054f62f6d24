package fs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type symlinkArgs struct {
	Target string `arg:"target" doc:"where the link leads; a relative one is relative to the link's own directory"`
	Path   string `arg:"path" doc:"the link"`
	Force  bool   `arg:"force" default:"false" doc:"replace also a file or a directory, which is kept for the rollback"`
}

var symlinkBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.symlink", Returns: changedDoc, Permission: "fs.write on path", Undo: runtime.Exact,
	Doc: "Makes a symbolic link, or lets the one that is there lead somewhere else, in one step: whoever follows it " +
		"comes to the old place or to the new one.",
	Example: `fs.symlink("releases/" + release, deploy_dir + "/current")`,
}, func(c *runtime.Call, a symlinkArgs) (starlark.Value, error) {
	if a.Target == "" || strings.ContainsRune(a.Target, 0) {
		return nil, errors.New("target is empty or has a NUL byte")
	}
	t, err := fileAt(c, a.Path)
	if err != nil {
		return nil, err
	}
	return c.Do(&linking{at: t, to: a.Target, force: a.Force})
})

// linking is the change of fs.symlink.
type linking struct {
	at    target
	to    string
	force bool

	old     filesys.Info
	removal *filesys.Removal // of the directory in the way; nil in a rollback
}

// Describe implements [runtime.Change].
func (l *linking) Describe() runtime.Description {
	return runtime.Description{Call: "fs.symlink", Target: l.at.path, Needs: l.at.needs, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (l *linking) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Needed: true, Summary: "link to " + l.to, Value: result(l.at.path, false)}
	var err error
	l.old, err = v.Lstat(l.at.path)
	switch {
	case isNotExist(err):
		return found, parentThere(v, l.at.path)
	case isUnknown(err):
		found.Assumed = fmt.Sprintf("that %s is to be made: what is there is known only in a run", l.at.path)
		return found, nil
	case err != nil:
		return found, err
	}
	switch {
	case l.old.Kind == filesys.Link && l.old.Target == l.to:
		found.Needed, found.Summary = false, "already leads there"
	case l.old.Kind == filesys.Link:
		found.Summary = fmt.Sprintf("%s -> %s", l.old.Target, l.to)
	case l.old.Kind == filesys.Other:
		return found, fmt.Errorf("%s is a device, socket or pipe; it is not replaced", l.at.path)
	case !l.force:
		return found, fmt.Errorf("there is a %s at %s; force = True replaces it by the link", l.old.Kind, l.at.path)
	default:
		found.Summary = fmt.Sprintf("replace the %s by a link to %s", l.old.Kind, l.to)
		return found, v.RefuseWhole(l.at.path)
	}
	return found, nil
}

// Undo implements [runtime.Change].
func (l *linking) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	switch l.old.Kind {
	case "":
		return filesys.UndoCreated(k, l.at.path), nil
	case filesys.Dir:
		removal, undo, err := filesys.Removing(k, l.at.path)
		l.removal = &removal
		return undo, err
	}
	return filesys.KeepFile(ctx, k, l.at.path)
}

// Apply implements [runtime.Change].
func (l *linking) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	if l.old.Kind == filesys.Dir {
		if err := takeAway(ctx, x, l.removal, l.at.path); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := x.Symlink(l.to, l.at.path); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(l.at.path)
	return runtime.Applied{Value: result(l.at.path, true), After: after}, err
}

// Predict implements [runtime.Change].
func (l *linking) Predict(world *runtime.World) (starlark.Value, error) {
	return result(l.at.path, true), filesys.Predicted(world).Symlink(l.to, l.at.path)
}
