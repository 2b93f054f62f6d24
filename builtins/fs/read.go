package fs

import (
	"context"
	"errors"
	"fmt"
	iofs "io/fs"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

func isNotExist(err error) bool { return errors.Is(err, iofs.ErrNotExist) }

type readArgs struct {
	Path    string         `arg:"path" doc:"the file; links are followed"`
	Default starlark.Value `arg:"default" default:"" doc:"what to return if there is no such file; None: that is an error"`
	MaxSize int64          `arg:"max_size" default:"16777216" doc:"the most bytes to accept"`
}

type pathArgs struct {
	Path string `arg:"path" doc:"where to look"`
}

type globArgs struct {
	Pattern string `arg:"pattern" doc:"a path with * ? [a-z] within names, or ** for any number of directories"`
}

func readBuiltins() []*runtime.Builtin {
	return []*runtime.Builtin{
		runtime.Define(runtime.Builtin{
			Name: "fs.read", Returns: "string", Permission: "fs.read on path",
			Doc:     "Reads a file whole. In a preview it reads what an earlier step would have written.",
			Example: `config = json.decode(fs.read("/etc/app/config.json", default = "{}"))`,
		}, read),
		runtime.Define(runtime.Builtin{
			Name: "fs.list", Returns: "list of string", Permission: "fs.read on path",
			Doc: "Lists the names in a directory, sorted.",
		}, list),
		runtime.Define(runtime.Builtin{
			Name: "fs.glob", Returns: "list of string", Permission: "fs.read on pattern and on what it finds",
			Doc: "Lists the paths that match a pattern, sorted. As in a shell, * does not find names that begin with a " +
				"dot. Directories that do not exist match nothing.",
			Example: `for unit in fs.glob("/etc/systemd/system/infra-core-*.service"):`,
		}, glob),
		runtime.Define(runtime.Builtin{
			Name: "fs.readlink", Returns: "string", Permission: "fs.read on path",
			Doc: "Returns what a symbolic link leads to, as it is written in the link.",
		}, readlink),
		runtime.Define(runtime.Builtin{
			Name: "fs.sha256", Returns: "string", Permission: "fs.read on path",
			Doc: "Returns the SHA-256 of a file's content, in hex.",
		}, sha256Of),
		runtime.Define(runtime.Builtin{
			Name: "fs.size", Returns: "int", Permission: "fs.read on path",
			Doc: "Returns the bytes in a file, or in all files of a directory and below. Links are not followed.",
		}, size),
	}
}

func read(c *runtime.Call, a readArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	if a.MaxSize < 0 {
		return nil, errors.New("max_size is negative")
	}
	data, err := v.ReadFile(path, a.MaxSize)
	if isNotExist(err) && a.Default != nil && a.Default != starlark.None {
		return a.Default, nil
	}
	if err != nil {
		return nil, err
	}
	return starlark.String(data), nil
}

func list(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	names, err := v.Names(path)
	if err != nil {
		return nil, err
	}
	return stringList(names), nil
}

// glob needs permission for the directory that it searches or, where only such files are declared, for the
// pattern itself, and for everything it finds.
func glob(c *runtime.Call, a globArgs) (starlark.Value, error) {
	pattern, err := absolute(c, a.Pattern)
	if err != nil {
		return nil, err
	}
	v := filesys.Read(c.Reader())
	if err := c.Need(v.Needs(readKind, filesys.GlobBase(pattern))...); err != nil {
		if perr := c.Need(policy.Need{Kind: readKind, Target: pattern}); perr != nil {
			return nil, err
		}
	}
	found, err := v.Glob(c.Context(), pattern)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", pattern, err)
	}
	for _, path := range found {
		if err := c.Need(v.Needs(readKind, path)...); err != nil {
			return nil, err
		}
	}
	return stringList(found), nil
}

func readlink(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	to, err := v.Readlink(path)
	return starlark.String(to), err
}

func sha256Of(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	sum, err := v.Hash(path)
	return starlark.String(sum), err
}

func size(c *runtime.Call, a pathArgs) (starlark.Value, error) {
	v, path, err := forReading(c, a.Path)
	if err != nil {
		return nil, err
	}
	total, err := treeSize(c.Context(), v, path)
	if err != nil {
		return nil, err
	}
	return starlark.MakeInt64(total), nil
}

func treeSize(ctx context.Context, v *filesys.View, path string) (int64, error) {
	var total int64
	err := v.Walk(ctx, path, func(i filesys.Info) error {
		total += i.Size
		return i.Known()
	})
	return total, err
}

func stringList(texts []string) *starlark.List {
	values := make([]starlark.Value, len(texts))
	for i, s := range texts {
		values[i] = starlark.String(s)
	}
	return starlark.NewList(values)
}
