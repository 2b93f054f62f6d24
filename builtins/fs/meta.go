package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"
	"path/filepath"
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type chmodArgs struct {
	Path      string           `arg:"path" doc:"a file or directory"`
	Mode      runtime.FileMode `arg:"mode" doc:"permission bits, such as \"0755\""`
	Recursive bool             `arg:"recursive" default:"false" doc:"the same mode for all files and directories below; links are left out"`
}

type chownArgs struct {
	Path      string `arg:"path" doc:"a file, directory or link"`
	Owner     string `arg:"owner" doc:"a user by name or number; empty keeps the owner"`
	Group     string `arg:"group" default:"" doc:"a group by name or number; empty keeps the group"`
	Recursive bool   `arg:"recursive" default:"false" doc:"also all below it"`
}

var chmodBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.chmod", Returns: changedDoc, Permission: "fs.write on path", Undo: runtime.Exact,
	Doc:     "Sets the mode of a file or directory, where it differs.",
	Example: `fs.chmod(release + "/scripts/start.sh", "0755")`,
}, func(c *runtime.Call, a chmodArgs) (starlark.Value, error) {
	t, err := at(c, writeKind, a.Path)
	if err != nil {
		return nil, err
	}
	m := &changingMeta{call: "fs.chmod", target: t, uid: filesys.Keep, gid: filesys.Keep, recursive: a.Recursive}
	m.mode, m.modeText = func(filesys.Info) iofs.FileMode { return a.Mode.Bits }, "mode "+filesys.Octal(a.Mode.Bits)
	return c.Do(m)
})

var chownBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.chown", Returns: changedDoc, Permission: "fs.write on path", Undo: runtime.Exact,
	Doc:     "Sets the owner of a file, directory or link, where it differs. Only root can give files away.",
	Example: `fs.chown("/var/lib/app", "app", group = "app", recursive = True)`,
}, func(c *runtime.Call, a chownArgs) (starlark.Value, error) {
	t, err := at(c, writeKind, a.Path)
	if err != nil {
		return nil, err
	}
	uid, gid, err := filesys.Read(c.Reader()).LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	if uid == filesys.Keep && gid == filesys.Keep {
		return nil, errors.New("neither owner nor group is given")
	}
	return c.Do(&changingMeta{call: "fs.chown", target: t, uid: uid, gid: gid, recursive: a.Recursive})
})

// changingMeta is the change of fs.chmod, fs.chown and fs.permissions.
type changingMeta struct {
	call      string
	target    target
	mode      func(filesys.Info) iofs.FileMode // what anything but a link is to have; nil: its own
	modeText  string                           // says so
	uid, gid  int
	recursive bool
	exclude   excludes

	seen    int            // how many were looked at
	todo    []filesys.Info // what differs, as it is
	unknown int            // what a preview cannot look into
	tree    bool           // it is a directory with what is below it
}

// Describe implements [runtime.Change].
func (m *changingMeta) Describe() runtime.Description {
	return runtime.Description{Call: m.call, Target: m.target.path, Needs: m.target.needs, Tree: m.recursive, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (m *changingMeta) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Value: m.value(false)}
	if err := m.look(ctx, v); err != nil {
		return found, err
	}
	found.Needed, found.Summary = len(m.todo)+m.unknown > 0, "already so"
	switch n := len(m.todo); {
	case n == 1:
		for i, part := range metaSummary(v, m.todo[0], m.newMode(m.todo[0]), m.uid, m.gid) {
			if i == 0 {
				found.Summary = ""
			} else {
				found.Summary += ", "
			}
			found.Summary += part
		}
	case n > 1:
		found.Summary = fmt.Sprintf("of %d files out of %d: %s", n, m.seen, m.wanted(v))
	}
	if m.unknown > 0 {
		found.Summary = m.wanted(v)
		found.Assumed = fmt.Sprintf("that this is to be set in %s: what is there is known only in a run", m.target.path)
	}
	return found, nil
}

// wanted says what is set.
func (m *changingMeta) wanted(v *filesys.View) string {
	if m.uid == filesys.Keep && m.gid == filesys.Keep {
		return m.modeText
	}
	text := "owner "
	if m.uid != filesys.Keep {
		text += v.UserName(m.uid)
	}
	if m.gid != filesys.Keep {
		text += ":" + v.GroupName(m.gid)
	}
	if m.modeText != "" {
		text += ", " + m.modeText
	}
	return text
}

// look finds out what differs.
func (m *changingMeta) look(ctx context.Context, v *filesys.View) error {
	if m.recursive {
		if err := v.RefuseWhole(m.target.path); err != nil {
			return err
		}
		return v.Walk(ctx, m.target.path, func(i filesys.Info) error {
			rel, err := filepath.Rel(m.target.path, i.Path)
			if err != nil {
				return err
			}
			if m.exclude.match(rel) {
				return skipDir
			}
			return m.compare(i)
		})
	}
	i, err := v.Lstat(m.target.path)
	if isUnknown(err) {
		m.unknown++
		return nil
	} else if err != nil {
		return err
	}
	if i.Kind == filesys.Link && m.mode != nil {
		return fmt.Errorf("%s is a link to %s and has no mode of its own; name that", m.target.path, i.Target)
	}
	if err := m.compare(i); err != skipDir {
		return err
	}
	return nil
}

func (m *changingMeta) compare(i filesys.Info) error {
	m.seen++
	m.tree = m.tree || m.recursive && i.Kind == filesys.Dir
	switch {
	case i.Opaque != "":
		m.unknown++
		if i.Kind == filesys.Dir {
			return skipDir
		}
	case metaDiffers(i, m.newMode(i), m.uid, m.gid):
		m.todo = append(m.todo, i)
	}
	return nil
}

func (m *changingMeta) newMode(i filesys.Info) iofs.FileMode {
	if m.mode == nil || i.Kind == filesys.Link {
		return i.Mode
	}
	return m.mode(i)
}

// value is what the call evaluates to.
func (m *changingMeta) value(changed bool) starlark.Value {
	switch {
	case m.call != "fs.permissions":
		return result(m.target.path, changed)
	case changed:
		return counted(m.target.path, len(m.todo))
	}
	return counted(m.target.path, 0)
}

// Undo implements [runtime.Change].
func (m *changingMeta) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	if m.tree {
		return filesys.UndoMetaIn(m.target.path, m.todo), nil
	}
	return filesys.UndoMeta(m.todo), nil
}

// Apply implements [runtime.Change]. What is in a directory comes before it: its new mode or owner may lock
// infrarun out.
func (m *changingMeta) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	var wanted []filesys.Meta
	var paths []string
	for _, i := range slices.Backward(m.todo) {
		w := filesys.Meta{Path: i.Path, Kind: i.Kind, UID: m.uid, GID: m.gid}
		if mode := m.newMode(i); mode != i.Mode {
			w.Mode = &mode
		}
		wanted, paths = append(wanted, w), append(paths, i.Path)
	}
	if err := m.set(ctx, x, wanted); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(paths...)
	return runtime.Applied{Value: m.value(true), After: after}, err
}

func (m *changingMeta) set(ctx context.Context, x *filesys.Writer, wanted []filesys.Meta) error {
	if m.tree {
		return x.SetMeta(ctx, m.target.path, wanted)
	}
	only := wanted[0]
	if only.Mode == nil {
		return x.Chown(only.Path, only.UID, only.GID)
	}
	return x.Chmod(only.Path, *only.Mode)
}

// Predict implements [runtime.Change].
func (m *changingMeta) Predict(world *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(world)
	for _, i := range m.todo {
		if err := o.Chown(i.Path, m.uid, m.gid); err != nil {
			return nil, err
		}
		if i.Kind == filesys.Link {
			continue
		}
		if err := o.Chmod(i.Path, m.newMode(i)); err != nil {
			return nil, err
		}
	}
	return m.value(true), nil
}
