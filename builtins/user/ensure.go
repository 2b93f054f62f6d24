package user

import (
	"context"
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type ensureArgs struct {
	Name   string          `arg:"name" doc:"the user's name"`
	System bool            `arg:"system" default:"true" doc:"whether a new user gets a number of those for the system; else of those for people"`
	Home   string          `arg:"home" default:"" doc:"its home directory, which is not made; by default a new user of the system has /nonexistent, another /home/name"`
	Shell  string          `arg:"shell" default:"" doc:"its login shell; by default a new user has nologin, so that nobody can log in as it"`
	Groups runtime.Strings `arg:"groups" default:"" doc:"the groups, beside its own, that it must be in; each must exist"`
	UID    number          `arg:"uid" default:"" doc:"the number it must have; by default a free one"`
}

func ensureBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "user.ensure", Undo: runtime.Exact, Permission: "`user` on name, and on group:NAME for each of groups",
		Returns: "struct(name, uid, gid, home, shell, changed)",
		Doc: "Makes sure that there is a user, with a group of the same name and no password. Of one that exists home and shell " +
			"are changed only if they are given, it is added to the groups that it is not in and taken out of none; if uid is " +
			"given and it has another number that is an error. A home directory is not made: fs.mkdir does so, with the owner.\n\n" +
			"To be in a group can be as much as to be root: of docker, sudo and wheel it is.",
		Example: "user.ensure(\"infracore\", home = \"/opt/infra-core\")\n" + `fs.mkdir("/var/lib/infra-core", owner = "infracore", mode = "0750")`,
	}, func(c *runtime.Call, a ensureArgs) (starlark.Value, error) {
		err := errors.Join(checkName("name", a.Name), checkPath("home", a.Home), checkPath("shell", a.Shell))
		for _, g := range a.Groups {
			err = errors.Join(err, checkName("groups", g))
		}
		if a.UID.set && a.UID.n == 0 {
			err = errors.Join(err, errors.New("for parameter uid: 0 is root, of whom there is one"))
		}
		if err != nil {
			return nil, err
		}
		return c.Do(&making{call: "user.ensure", args: a, view: filesys.Read(c.Reader())})
	})
}

// number is a parameter that takes the number of a user or group, or None.
type number struct {
	n   int
	set bool
}

// TypeName names the type in documentation.
func (*number) TypeName() string { return "int" }

// Unpack implements starlark.Unpacker.
func (n *number) Unpack(v starlark.Value) error {
	i, ok := v.(starlark.Int)
	if !ok {
		return fmt.Errorf("got %s, want int", v.Type())
	}
	id, ok := i.Int64()
	if !ok || id < 0 || id >= 1<<32-1 {
		return fmt.Errorf("%s is no number of a user or group", i)
	}
	*n = number{int(id), true}
	return nil
}

// making is the change that user.ensure and user.group make.
type making struct {
	call string
	args ensureArgs
	gid  number // for user.group
	view *filesys.View

	// What Probe has found.
	all       accounts
	tools     tools
	user      account // as it will be
	was       account // as it is, if it is there
	group     group
	makeUser  bool
	makeGroup bool
	join      []string // the groups that the user is to be added to
}

var _ runtime.Change = (*making)(nil)

// Describe implements runtime.Change.
func (m *making) Describe() runtime.Description {
	needs := []policy.Need{{Kind: permissionKind, Target: m.args.Name}}
	if m.call == "user.group" {
		needs = []policy.Need{groupNeed(m.args.Name)}
	}
	for _, g := range m.args.Groups {
		needs = append(needs, groupNeed(g))
	}
	return runtime.Description{Call: m.call, Target: m.args.Name, Needs: needs, Undo: runtime.Exact, UndoNote: "takes away what was made"}
}

// Probe implements runtime.Change.
func (m *making) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	var err error
	if m.all, err = readAccounts(m.view); err != nil {
		return runtime.Finding{}, err
	}
	if m.call == "user.group" {
		return m.probeGroup(ctx)
	}
	doubt, err := m.plan(r.Preview())
	if err != nil {
		return runtime.Finding{}, err
	}
	if !m.makeUser && !m.makeGroup && len(m.join) == 0 && m.user == m.was {
		return runtime.Finding{Summary: fmt.Sprintf("is there, %d", m.user.uid), Value: m.value(false)}, nil
	}
	found, err := m.needed()
	found.Assumed = doubt
	return found, err
}

// Apply implements runtime.Change.
func (m *making) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := newMaker(w, m).make(ctx); err != nil {
		return runtime.Applied{}, err
	}
	after, err := m.leftBehind()
	return runtime.Applied{Value: m.value(true), After: after}, err
}

// Predict implements runtime.Change.
func (m *making) Predict(w *runtime.World) (starlark.Value, error) {
	return m.value(true), m.predict(filesys.Predicted(w))
}

func (m *making) value(changed bool) starlark.Value {
	if m.call == "user.group" {
		return structOf(starlark.StringDict{
			"name": starlark.String(m.group.name), "gid": starlark.MakeInt(m.group.gid), "changed": starlark.Bool(changed),
		})
	}
	return structOf(starlark.StringDict{
		"name": starlark.String(m.user.name), "uid": starlark.MakeInt(m.user.uid), "gid": starlark.MakeInt(m.user.gid),
		"home": starlark.String(m.user.home), "shell": starlark.String(m.user.shell), "changed": starlark.Bool(changed),
	})
}
