package fs

import (
	"fmt"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type statArgs struct {
	Path   string `arg:"path" doc:"where to look"`
	Follow bool   `arg:"follow" default:"true" doc:"describe what a link leads to, not the link itself"`
}

func statBuiltins() []*runtime.Builtin {
	return []*runtime.Builtin{
		runtime.Define(runtime.Builtin{
			Name: "fs.exists", Returns: "bool", Permission: "fs.read on path",
			Doc: "Tells whether a path leads to something. A link that leads nowhere does not; fs.is_link finds it.",
		}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) {
			return test(c, a.Path, (*filesys.View).Stat, func(filesys.Info) bool { return true })
		}),
		runtime.Define(runtime.Builtin{
			Name: "fs.is_file", Returns: "bool", Permission: "fs.read on path",
			Doc: "Tells whether a path leads to a regular file.",
		}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) { return isKind(c, a.Path, filesys.File) }),
		runtime.Define(runtime.Builtin{
			Name: "fs.is_dir", Returns: "bool", Permission: "fs.read on path",
			Doc: "Tells whether a path leads to a directory.",
		}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) { return isKind(c, a.Path, filesys.Dir) }),
		runtime.Define(runtime.Builtin{
			Name: "fs.is_link", Returns: "bool", Permission: "fs.read on path",
			Doc: "Tells whether a path is a symbolic link, wherever that leads.",
		}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) {
			return test(c, a.Path, (*filesys.View).Lstat, func(i filesys.Info) bool { return i.Kind == filesys.Link })
		}),
		runtime.Define(runtime.Builtin{
			Name: "fs.stat", Permission: "fs.read on path",
			Returns: `struct(exists, kind = "file|dir|link|other", size, mode = "0644", owner, group, uid, gid, mtime, target)`,
			Doc: "Describes what is at a path. It does not fail if there is nothing: then exists is False and kind is empty. " +
				"mtime is a time, None where there is nothing.",
			Example: `if fs.stat("/etc/app/app.conf").mode != "0600":`,
		}, statOf),
		runtime.Define(runtime.Builtin{
			Name: "fs.usage", Returns: "struct(total, free, used, percent)", Permission: "fs.read on path",
			Doc: "Tells how much room there is on the file system that holds a path, in bytes; if the path does not exist, " +
				"its nearest parent that does.",
			Example: `if fs.usage("/var/lib").free < 5 << 30:`,
		}, usage),
	}
}

// test asks something about what is at a path; of nothing the answer is False.
func test(c *runtime.Call, name string, look func(*filesys.View, string) (filesys.Info, error), is func(filesys.Info) bool) (starlark.Value, error) {
	v, path, err := forReading(c, name)
	if err != nil {
		return nil, err
	}
	i, err := look(v, path)
	if isNotExist(err) {
		return starlark.False, nil
	} else if err != nil {
		return nil, err
	}
	return starlark.Bool(is(i)), nil
}

func isKind(c *runtime.Call, name string, want filesys.Kind) (starlark.Value, error) {
	v, path, err := forReading(c, name)
	if err != nil {
		return nil, err
	}
	i, err := v.Stat(path)
	switch {
	case isNotExist(err):
		return starlark.False, nil
	case err != nil:
		return nil, err
	case i.Opaque != "" && i.Kind != filesys.Dir:
		return nil, i.Known() // it will be there, but whether as a file is not known
	}
	return starlark.Bool(i.Kind == want), nil
}

func statOf(c *runtime.Call, a statArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	look := v.Stat
	if !a.Follow {
		look = v.Lstat
	}
	i, err := look(path)
	if err != nil && !isNotExist(err) {
		return nil, err
	}
	if i.Opaque != "" {
		return runtime.NewUnknown(fmt.Sprintf("fs.stat(%q), which is %s,", path, i.Opaque),
			"fs.exists can be asked; what else is known of it only a run can tell"), nil
	}
	return statStruct(v, i, err == nil), nil
}

func statStruct(v *filesys.View, i filesys.Info, there bool) starlark.Value {
	fields := starlark.StringDict{
		"exists": starlark.Bool(there), "kind": starlark.String(i.Kind), "size": starlark.MakeInt64(i.Size),
		"mode": starlark.String(""), "owner": starlark.String(""), "group": starlark.String(""),
		"uid": starlark.MakeInt(i.UID), "gid": starlark.MakeInt(i.GID), "mtime": starlark.None,
		"target": starlark.String(i.Target),
	}
	if there {
		fields["mode"] = starlark.String(filesys.Octal(i.Mode))
		fields["owner"] = starlark.String(v.UserName(i.UID))
		fields["group"] = starlark.String(v.GroupName(i.GID))
		fields["mtime"] = startime.Time(i.ModTime)
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

func usage(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	_, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	room, err := filesys.SpaceAt(path)
	if err != nil {
		return nil, err
	}
	percent := 0.0
	if n := room.Used + room.Free; n > 0 {
		percent = 100 * float64(room.Used) / float64(n)
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"total": starlark.MakeInt64(room.Total), "free": starlark.MakeInt64(room.Free),
		"used": starlark.MakeInt64(room.Used), "percent": starlark.Float(percent),
	}), nil
}
