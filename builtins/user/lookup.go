package user

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type lookupArgs struct {
	Name string `arg:"name" doc:"the user's name"`
}

func lookupBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name:    "user.lookup",
		Returns: "struct(name, uid, gid, group, groups, home, shell), or None if there is no such user; groups are those it was added to",
		Doc: "Looks up a user of /etc/passwd. A preview finds the users that the run would make. Users of a directory on the " +
			"network are not found.",
		Example: "app = user.lookup(\"infracore\")\nif app and app.uid == 0:\n    fail(\"infracore is root\")",
	}, func(c *runtime.Call, a lookupArgs) (starlark.Value, error) {
		all, err := readAccounts(filesys.Read(c.Reader()))
		if err != nil {
			return nil, err
		}
		u, ok := all.user(a.Name)
		if !ok {
			return starlark.None, nil
		}
		var groups []starlark.Value
		for _, name := range all.memberships(u.name) {
			groups = append(groups, starlark.String(name))
		}
		return structOf(starlark.StringDict{
			"name": starlark.String(u.name), "uid": starlark.MakeInt(u.uid), "gid": starlark.MakeInt(u.gid),
			"group": starlark.String(all.groupName(u.gid)), "groups": starlark.NewList(groups),
			"home": starlark.String(u.home), "shell": starlark.String(u.shell),
		}), nil
	})
}
