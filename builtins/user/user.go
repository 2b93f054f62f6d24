// Package user is the family of builtins for the users and groups of the machine.
//
//	user.ensure(name, system = True, home = "", shell = "", groups = [], uid = None) -> struct
//	                                     a user with a group of its own, and membership of others
//	user.group(name, system = True, gid = None) -> struct
//	                                     a group
//	user.lookup(name) -> struct or None  who a user is
//
// Users are made by what the machine has for it: useradd and its kin, or busybox's adduser. The numbers are chosen here,
// as those would choose them: so a preview shows them, and the undo record names exactly what was made.
//
// # What must stay true
//
//   - What is known of users is read from /etc/passwd and /etc/group through the run's view of the file system, and what
//     a preview predicts is entered there. So whoever asks that view for an owner finds a user that the run will make.
//   - An undo takes out the run's own lines and nothing else. If the files are then what they were before, they are put
//     back to the byte, with their times and with the copies that the tools keep of them (/etc/passwd-). They are edited
//     under the lock that all tools take.
//   - A user or group of that name that by then has another number is somebody else's, and stays.
//
// The package must not know what a user is for. It makes no home directories: that is fs.mkdir with an owner.
//
//	ensure.go plan.go               user.ensure
//	group.go lookup.go              the other builtins
//	accounts.go                     the lines of /etc/passwd and /etc/group
//	ids.go                          free numbers
//	tools.go writer.go              the tools, and running them
//	predict.go                      what a preview sees
//	undo.go writer_undo.go          putting back: which lines, and how
//	files.go                        the account files, and keeping them
package user

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// permissionKind is the kind of permission that users and groups take: a user by its name, a group as "group:NAME".
const permissionKind = "user"

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "user",
		Doc: "Users and groups of the machine. What is made is taken away again by a rollback, and the files of accounts are then " +
			"what they were to the byte. In PERMISSIONS a user is named by its name, a group as \"group:NAME\".",
		Builtins:    []*runtime.Builtin{ensureBuiltin(), groupBuiltin(), lookupBuiltin()},
		Undoers:     map[string]runtime.Undoer{undoKind: runtime.UndoKind[undoArgs, left]{UndoFunc: takeBack, DriftFunc: drift}},
		Permissions: map[string]policy.Matcher{permissionKind: policy.Names{}},
	}
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
