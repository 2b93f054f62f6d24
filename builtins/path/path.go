// Package path is the family of builtins that compute with the names of files. They look at names only: links are not
// followed and nothing need exist.
//
//	path.join(*parts)       the parts with slashes between them, cleaned
//	path.base(path)         the last component
//	path.dir(path)          all but the last component
//	path.ext(path)          the ending, with its dot
//	path.clean(path)        the shortest equal path
//	path.is_abs(path)       whether the path begins at the root
//	path.rel(path, base)    the path as seen from base
//	path.within(path, dir)  whether the path is dir or lies below it
package path

import (
	"fmt"
	"path/filepath"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "path",
		Doc: "Computing with the names of files. Only the names are looked at: links are not followed, nothing need exist. " +
			"Looking at the file system is what fs is for.",
		Builtins: []*runtime.Builtin{
			joinBuiltin,
			text("base", "Returns the last component of a path, without slashes at its end.", filepath.Base),
			text("dir", "Returns all but the last component of a path, \".\" if there is only one.", filepath.Dir),
			text("ext", "Returns the ending of a path from its last dot on, \"\" if it has none.", filepath.Ext),
			text("clean", "Returns the shortest path equal to a path: without \".\", \"..\" as far as possible, and double slashes.", filepath.Clean),
			isAbsBuiltin,
			relBuiltin,
			withinBuiltin,
		},
	}
}

type joinArgs struct {
	Parts starlark.Tuple `arg:"*parts" doc:"strings; empty ones are left out"`
}

var joinBuiltin = runtime.Define(runtime.Builtin{
	Name: "path.join", Pure: true, Returns: "string",
	Doc:     "Joins parts of a path with slashes and cleans the result. A part that begins with a slash does not start anew.",
	Example: `path.join(ctx.params.prefix, "releases", release)`,
}, func(_ *runtime.Call, a joinArgs) (starlark.Value, error) {
	parts := make([]string, len(a.Parts))
	for i, p := range a.Parts {
		s, ok := starlark.AsString(p)
		if !ok {
			return nil, fmt.Errorf("part %d is %s, want string", i+1, p.Type())
		}
		parts[i] = s
	}
	return starlark.String(filepath.Join(parts...)), nil
})

type pathArgs struct {
	Path string `arg:"path" doc:"the path"`
}

// text declares a builtin from a path to a string.
func text(name, doc string, fn func(string) string) *runtime.Builtin {
	return runtime.Define(runtime.Builtin{Name: "path." + name, Pure: true, Returns: "string", Doc: doc},
		func(_ *runtime.Call, a pathArgs) (starlark.Value, error) {
			return starlark.String(fn(a.Path)), nil
		})
}

var isAbsBuiltin = runtime.Define(runtime.Builtin{
	Name: "path.is_abs", Pure: true, Returns: "bool", Doc: "Reports whether a path begins at the root.",
}, func(_ *runtime.Call, a pathArgs) (starlark.Value, error) {
	return starlark.Bool(filepath.IsAbs(a.Path)), nil
})

type relArgs struct {
	Path string `arg:"path" doc:"the path to be reached"`
	Base string `arg:"base" doc:"the directory from which it is to be reached"`
}

var relBuiltin = runtime.Define(runtime.Builtin{
	Name: "path.rel", Pure: true, Returns: "string",
	Doc:     "Returns a path as seen from a directory. Both must be absolute, or both relative.",
	Example: `path.rel("/opt/app/releases/7", "/opt/app")  # "releases/7"`,
}, func(_ *runtime.Call, a relArgs) (starlark.Value, error) {
	if filepath.IsAbs(a.Path) != filepath.IsAbs(a.Base) {
		return nil, fmt.Errorf("of %q and %q one is absolute and the other relative; give both as the same", a.Path, a.Base)
	}
	rel, err := filepath.Rel(a.Base, a.Path)
	if err != nil {
		return nil, fmt.Errorf("%q cannot be reached from %q, which goes up by ..; give absolute paths", a.Path, a.Base)
	}
	return starlark.String(rel), nil
})

type withinArgs struct {
	Path string `arg:"path" doc:"the path"`
	Dir  string `arg:"dir" doc:"the directory"`
}

var withinBuiltin = runtime.Define(runtime.Builtin{
	Name: "path.within", Pure: true, Returns: "bool",
	Doc: "Reports whether a path is a directory or lies below it, going by the names alone: a link may lead elsewhere. " +
		"An absolute path is never within a relative directory, nor the other way round.",
}, func(_ *runtime.Call, a withinArgs) (starlark.Value, error) {
	rel, err := filepath.Rel(a.Dir, a.Path)
	return starlark.Bool(err == nil && filepath.IsLocal(rel)), nil
})
