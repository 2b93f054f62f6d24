package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"

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
	m := &changingMeta{call: "fs.chmod", target: t, mode: &a.Mode.Bits, uid: filesys.Keep, gid: filesys.Keep, recursive: a.Recursive}
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
	uid, gid, err := filesys.LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	if uid == filesys.Keep && gid == filesys.Keep {
		return nil, errors.New("neither owner nor group is given")
	}
	return c.Do(&changingMeta{call: "fs.chown", target: t, uid: uid, gid: gid, recursive: a.Recursive})
})

// changingMeta is the change of fs.chmod and fs.chown.
type changingMeta struct {
	call      string
	target    target
	mode      *iofs.FileMode // nil: the owner is changed
	uid, gid  int
	recursive bool

	todo    []filesys.Info // what differs, as it is
	unknown int            // what a preview cannot look into
}

// Describe implements [runtime.Change].
func (m *changingMeta) Describe() runtime.Description {
	return runtime.Description{Call: m.call, Target: m.target.path, Needs: m.target.needs, Tree: m.recursive, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (m *changingMeta) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	found := runtime.Finding{Value: result(m.target.path, false)}
	if err := m.look(ctx, v); err != nil {
		return found, err
	}
	found.Needed, found.Summary = len(m.todo)+m.unknown > 0, "already so"
	switch n := len(m.todo); {
	case n == 1:
		for i, part := range metaSummary(m.todo[0], m.newMode(m.todo[0]), m.uid, m.gid) {
			if i == 0 {
				found.Summary = ""
			} else {
				found.Summary += ", "
			}
			found.Summary += part
		}
	case n > 1:
		found.Summary = fmt.Sprintf("of %d files: %s", n, m.wanted())
	}
	if m.unknown > 0 {
		found.Summary = m.wanted()
		found.Assumed = fmt.Sprintf("that this is to be set in %s: what is there is known only in a run", m.target.path)
	}
	return found, nil
}

// wanted says what is set.
func (m *changingMeta) wanted() string {
	if m.mode != nil {
		return "mode " + filesys.Octal(*m.mode)
	}
	text := "owner "
	if m.uid != filesys.Keep {
		text += filesys.UserName(m.uid)
	}
	if m.gid != filesys.Keep {
		text += ":" + filesys.GroupName(m.gid)
	}
	return text
}

// look finds out what differs.
func (m *changingMeta) look(ctx context.Context, v *filesys.View) error {
	if m.recursive {
		if err := v.RefuseWhole(m.target.path); err != nil {
			return err
		}
		return v.Walk(ctx, m.target.path, m.compare)
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
	switch {
	case i.Opaque != "":
		m.unknown++
		if i.Kind == filesys.Dir {
			return skipDir
		}
	case i.Kind == filesys.Link && m.mode != nil:
	case len(metaSummary(i, m.newMode(i), m.uid, m.gid)) > 0:
		m.todo = append(m.todo, i)
	}
	return nil
}

func (m *changingMeta) newMode(i filesys.Info) iofs.FileMode {
	if m.mode != nil {
		return *m.mode
	}
	return i.Mode
}

// Undo implements [runtime.Change].
func (m *changingMeta) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.UndoMeta(m.todo), nil
}

// Apply implements [runtime.Change]. What is in a directory comes before it: its new mode or owner may lock
// infrarun out.
func (m *changingMeta) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	var paths []string
	for n := len(m.todo) - 1; n >= 0; n-- {
		i := m.todo[n]
		if err := context.Cause(ctx); err != nil {
			return runtime.Applied{}, err
		}
		if err := m.set(x, i.Path); err != nil {
			return runtime.Applied{}, err
		}
		paths = append(paths, i.Path)
	}
	after, err := filesys.LeftAt(paths...)
	return runtime.Applied{Value: result(m.target.path, true), After: after}, err
}

func (m *changingMeta) set(x *filesys.Writer, path string) error {
	if m.mode != nil {
		return x.Chmod(path, *m.mode)
	}
	return x.Chown(path, m.uid, m.gid)
}

// Predict implements [runtime.Change].
func (m *changingMeta) Predict(world *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(world)
	for _, i := range m.todo {
		var err error
		if m.mode != nil {
			err = o.Chmod(i.Path, *m.mode)
		} else {
			err = o.Chown(i.Path, m.uid, m.gid)
		}
		if err != nil {
			return nil, err
		}
	}
	return result(m.target.path, true), nil
}
