package user

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type groupArgs struct {
	Name   string `arg:"name" doc:"the group's name"`
	System bool   `arg:"system" default:"true" doc:"whether a new group gets a number of those for the system"`
	GID    number `arg:"gid" default:"" doc:"the number it must have; by default a free one"`
}

func groupBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "user.group", Undo: runtime.Exact, Permission: "`user` on group:name",
		Returns: "struct(name, gid, changed)",
		Doc: "Makes sure that there is a group. One that exists is left as it is; if gid is given and it has another number that " +
			"is an error.",
		Example: `user.group("infra")`,
	}, func(c *runtime.Call, a groupArgs) (starlark.Value, error) {
		if err := checkName("name", a.Name); err != nil {
			return nil, err
		}
		return c.Do(&making{call: "user.group", args: ensureArgs{Name: a.Name, System: a.System}, gid: a.GID, view: filesys.Read(c.Reader())})
	})
}

// probeGroup finds out what there is to do for user.group.
func (m *making) probeGroup(_ context.Context) (runtime.Finding, error) {
	if g, ok := m.all.group(m.args.Name); ok {
		if m.gid.set && m.gid.n != g.gid {
			return runtime.Finding{}, fmt.Errorf("it has the number %d, not %d; files that belong to it would no longer do so, so it is not changed", g.gid, m.gid.n)
		}
		m.group = g
		return runtime.Finding{Summary: fmt.Sprintf("is there, %d", g.gid), Value: m.value(false)}, nil
	}
	if err := m.newGroup(m.args.Name, m.gid); err != nil {
		return runtime.Finding{}, err
	}
	return m.needed()
}

// newGroup plans to make a group.
func (m *making) newGroup(name string, want number) error {
	id, err := m.number(want, m.all.gids())
	m.group, m.makeGroup = group{name: name, gid: id}, true
	return err
}

// groupNeed is the permission that a group takes.
func groupNeed(name string) policy.Need {
	return policy.Need{Kind: permissionKind, Target: "group:" + name}
}
