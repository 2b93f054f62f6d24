package archive

import (
	"fmt"
	"io"
	"io/fs"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type pathArgs struct {
	Path string `arg:"path" doc:"the archive; a relative path is relative to the directory infrarun was started in"`
}

func listBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "archive.list", Permission: "fs.read on path",
		Returns: "list of struct(name, kind, size, mode, owner, group, mtime, target), in the order of the archive; kind is file, dir or link",
		Doc: "Lists what is in an archive. It is read to its end: one that is damaged, or that archive.create did not make, is an " +
			"error. A name is the path below the directory that was packed, which is \".\" itself.",
		Example: `names = [e.name for e in archive.list(backup + "/app.tar.zst")]`,
	}, func(c *runtime.Call, a pathArgs) (starlark.Value, error) {
		list := starlark.NewList(nil)
		found, err := scanAt(c, a.Path, func(e entry, _ io.Reader) error { return list.Append(e.value()) })
		if err == nil && len(found.wrong) > 0 {
			err = fmt.Errorf("%s is damaged: %s", a.Path, found.wrong[0])
		}
		if err != nil {
			return nil, err
		}
		return list, nil
	})
}

// modeBits are the bits of a mode that are packed.
const modeBits = fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky

func (e entry) value() starlark.Value {
	mode := filesys.Octal(e.hdr.FileInfo().Mode() & modeBits)
	return structOf(starlark.StringDict{
		"name": starlark.String(e.name), "kind": starlark.String(e.kind), "size": starlark.MakeInt64(e.hdr.Size),
		"mode": starlark.String(mode), "owner": starlark.String(ownerName(e.hdr.Uname, e.hdr.Uid)),
		"group": starlark.String(ownerName(e.hdr.Gname, e.hdr.Gid)), "mtime": startime.Time(e.hdr.ModTime),
		"target": starlark.String(e.hdr.Linkname),
	})
}

func ownerName(name string, id int) string {
	if name == "" {
		return fmt.Sprint(id)
	}
	return name
}

// scanAt scans the archive that a builtin was given.
func scanAt(c *runtime.Call, path string, visit func(entry, io.Reader) error) (contents, error) {
	path, err := target(c, "path", path)
	if err != nil {
		return contents{}, err
	}
	view := filesys.Read(c.Reader())
	if err := c.Need(view.Needs(readKind, path)...); err != nil {
		return contents{}, err
	}
	info, err := archiveAt(view, path)
	if err == nil {
		err = info.Known()
	}
	if err != nil {
		return contents{}, err
	}
	f, err := view.Open(path)
	if err != nil {
		return contents{}, err
	}
	defer f.Close()
	found, err := scan(c.Context(), newReading(f, "read "+path, info.Size, c.Reader().Progress), visit)
	if err != nil {
		return found, fmt.Errorf("%s: %w", path, err)
	}
	return found, nil
}
