package fs

import (
	"context"
	"fmt"
	iofs "io/fs"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type mkdirArgs struct {
	Path  string           `arg:"path" doc:"the directory"`
	Mode  runtime.FileMode `arg:"mode" default:"" doc:"permission bits; None keeps those of the directory, and of a new one makes 0755"`
	Owner string           `arg:"owner" default:"" doc:"a user by name or number; empty keeps the owner"`
	Group string           `arg:"group" default:"" doc:"a group by name or number; empty keeps the group"`
}

var mkdirBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.mkdir", Returns: changedDoc, Permission: "fs.write on path", Undo: runtime.Exact,
	Doc: "Makes a directory, and those that are missing above it, which get mode 0755. If there is one already, only " +
		"its mode and owner are made what was asked for. A rollback removes each directory that was made.",
	Example: `fs.mkdir("/var/log/app", mode = "0750", owner = "app")`,
}, func(c *runtime.Call, a mkdirArgs) (starlark.Value, error) {
	t, err := at(c, writeKind, a.Path)
	if err != nil {
		return nil, err
	}
	uid, gid, err := filesys.Read(c.Reader()).LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	return c.Do(&makingDir{target: t, mode: a.Mode, uid: uid, gid: gid})
})

// makingDir is the change of fs.mkdir.
type makingDir struct {
	target   target
	mode     runtime.FileMode
	uid, gid int

	old     filesys.Info
	missing []string // what is to be made, outermost first; none: only mode or owner change
}

// Describe implements [runtime.Change].
func (m *makingDir) Describe() runtime.Description {
	return runtime.Description{Call: "fs.mkdir", Target: m.target.path, Needs: m.target.needs, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (m *makingDir) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Value: result(m.target.path, false)}
	var err error
	m.missing, err = v.MissingDirs(m.target.path)
	if isUnknown(err) {
		m.missing = []string{m.target.path}
		found.Assumed = "that " + m.target.path + " is to be made: what is there is known only in a run"
	} else if err != nil {
		return found, err
	}
	if n := len(m.missing); n > 0 {
		found.Needed, found.Summary = true, "create, mode "+filesys.Octal(m.newMode())
		if n > 1 {
			found.Summary += fmt.Sprintf(", with %d above it", n-1)
		}
		return found, nil
	}
	if m.old, err = v.Lstat(m.target.path); err != nil {
		return found, err
	}
	parts := metaSummary(v, m.old, m.newMode(), m.uid, m.gid)
	if m.old.Kind == filesys.Link {
		parts = nil
		if m.mode.Set || m.uid != filesys.Keep || m.gid != filesys.Keep {
			return found, fmt.Errorf("%s is a link to %s; name that, to set its mode or owner", m.target.path, m.old.Target)
		}
	}
	found.Needed, found.Summary = len(parts) > 0, strings.Join(parts, ", ")
	if !found.Needed {
		found.Summary = "already there"
	}
	return found, nil
}

func (m *makingDir) newMode() iofs.FileMode {
	switch {
	case m.mode.Set:
		return m.mode.Bits
	case len(m.missing) == 0:
		return m.old.Mode
	}
	return 0o755
}

// Undo implements [runtime.Change].
func (m *makingDir) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	if len(m.missing) == 0 {
		return filesys.UndoMeta([]filesys.Info{m.old}), nil
	}
	return filesys.UndoCreated(k, m.missing...), nil
}

// Apply implements [runtime.Change].
func (m *makingDir) Apply(_ context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	var err error
	if len(m.missing) > 0 {
		_, err = x.MkdirAll(m.target.path, m.newMode(), m.uid, m.gid)
	} else if err = x.Chown(m.target.path, m.uid, m.gid); err == nil {
		err = x.Chmod(m.target.path, m.newMode())
	}
	if err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(m.target.path)
	return runtime.Applied{Value: result(m.target.path, true), After: after}, err
}

// Predict implements [runtime.Change].
func (m *makingDir) Predict(world *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(world)
	for _, dir := range m.missing {
		if dir != m.target.path {
			if err := o.Mkdir(dir, 0o755, filesys.Keep, filesys.Keep); err != nil {
				return nil, err
			}
		}
	}
	return result(m.target.path, true), o.Mkdir(m.target.path, m.newMode(), m.uid, m.gid)
}
