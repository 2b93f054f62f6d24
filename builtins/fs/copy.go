package fs

import (
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type copyArgs struct {
	Src  string           `arg:"src" doc:"the file to copy; links are followed"`
	Dst  string           `arg:"dst" doc:"the file to write, not the directory to put it in"`
	Mode runtime.FileMode `arg:"mode" default:"" doc:"permission bits; None takes those of src"`
}

var copyBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.copy", Returns: changedDoc, Permission: "fs.read on src, fs.write on dst", Undo: runtime.Exact,
	Doc:     "Copies a file, if the content or mode of the other one differs. It writes as fs.write does.",
	Example: `fs.copy(release + "/bin/console", "/usr/local/bin/console", mode = "0755")`,
}, func(c *runtime.Call, a copyArgs) (starlark.Value, error) {
	src, err := at(c, readKind, a.Src)
	if err != nil {
		return nil, err
	}
	dst, err := fileAt(c, a.Dst)
	if err != nil {
		return nil, err
	}
	dst.needs = append(src.needs, dst.needs...)
	f := &file{path: dst.path, from: src.path, mode: a.Mode, uid: filesys.Keep, gid: filesys.Keep}
	return c.Do(&writing{call: "fs.copy", target: dst, file: f})
})
