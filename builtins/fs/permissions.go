package fs

import (
	"errors"
	"fmt"
	iofs "io/fs"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type permissionsArgs struct {
	Path     string           `arg:"path" doc:"a directory"`
	Owner    string           `arg:"owner" default:"" doc:"a user by name or number; empty keeps the owner of each"`
	Group    string           `arg:"group" default:"" doc:"a group by name or number; empty keeps the group of each"`
	FileMode runtime.FileMode `arg:"file_mode" default:"" doc:"permission bits of files; one that can be executed stays so, for those whom the bits let read it. By default each keeps its own"`
	DirMode  runtime.FileMode `arg:"dir_mode" default:"" doc:"permission bits of directories; by default each keeps its own"`
	Exclude  runtime.Strings  `arg:"exclude" default:"" doc:"what to leave alone: patterns with * ? [a-z] for a name anywhere, or for a path from path on"`
}

var permissionsBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.permissions", Returns: "struct(path, changed, count = how many were changed)",
	Permission: "fs.write on path", Undo: runtime.Exact,
	Doc: "Makes a directory and all that is below it belong to whom it should, with the modes that it should have. Only what " +
		"differs is changed, all of it as one change, and a rollback puts back each of those and nothing else. Links are not " +
		"followed: a link itself can change hands, what it leads to does not. With file_mode = \"0640\" a file with mode 0755 " +
		"gets 0750: nothing loses its execute bits unless they let in somebody who may not read it.",
	Example: `fs.permissions("/opt/app/current", owner = "root", group = "app", file_mode = "0640", dir_mode = "0750", exclude = ["data"])`,
}, func(c *runtime.Call, a permissionsArgs) (starlark.Value, error) {
	t, err := at(c, writeKind, a.Path)
	if err != nil {
		return nil, err
	}
	v := filesys.Read(c.Reader())
	uid, gid, err := v.LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	if uid == filesys.Keep && gid == filesys.Keep && !a.FileMode.Set && !a.DirMode.Set {
		return nil, errors.New("none of owner, group, file_mode and dir_mode is given")
	}
	exclude, err := readExcludes(a.Exclude)
	if err != nil {
		return nil, err
	}
	i, err := v.Lstat(t.path)
	switch {
	case isUnknown(err):
	case err != nil:
		return nil, err
	case i.Kind != filesys.Dir && i.Opaque == "":
		return nil, fmt.Errorf("%s is a %s, not a directory; name the directory, or use fs.chmod and fs.chown", t.path, i.Kind)
	}
	m := &changingMeta{call: "fs.permissions", target: t, uid: uid, gid: gid, recursive: true, exclude: exclude}
	m.mode, m.modeText = syncedModes(a.FileMode, a.DirMode)
	return c.Do(m)
})

// syncedModes returns what mode each entry of a tree is to have, and how to say that.
func syncedModes(file, dir runtime.FileMode) (func(filesys.Info) iofs.FileMode, string) {
	var said []string
	if file.Set {
		said = append(said, "files "+filesys.Octal(file.Bits))
	}
	if dir.Set {
		said = append(said, "directories "+filesys.Octal(dir.Bits))
	}
	return func(i filesys.Info) iofs.FileMode {
		switch {
		case i.Kind == filesys.Dir && dir.Set:
			return dir.Bits
		case i.Kind == filesys.File && file.Set && i.Mode&0o111 != 0:
			return file.Bits | file.Bits&0o444>>2 // who may read it may execute it
		case i.Kind == filesys.File && file.Set:
			return file.Bits
		}
		return i.Mode
	}, strings.Join(said, ", ")
}

// counted is result for a change of many.
func counted(path string, n int) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"path": starlark.String(path), "changed": starlark.Bool(n > 0), "count": starlark.MakeInt(n),
	})
}
