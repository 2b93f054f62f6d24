package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type treeArgs struct {
	source
	Strip      int             `arg:"strip" default:"0" doc:"how many leading elements of each name in the archive are dropped, as tar --strip-components does; what has no more than that is left out"`
	Executable runtime.Strings `arg:"executable" default:"" doc:"patterns with * ? [a-z] of paths below dst that get the mode 0755, such as bin/*, for archives that do not say what is executable"`
	Provides   runtime.Strings `arg:"provides" default:"" doc:"programs that will be there, as paths below dst, such as bin/go: a preview finds them, and a run fails if one is missing or cannot be executed"`
}

func treeBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "fetch.tree", Undo: runtime.Exact, Permission: "net on the URL's host:port, and on that of every redirect; fs.write on dst",
		Returns: "struct(path, changed, files, bytes): how many files of how many bytes are in the tree",
		Doc: "Downloads an archive, verifies its sum and unpacks it into a directory, which is there as a whole or not at all. It " +
			"may be tar, as it is or compressed with gzip or zstd, or zip; which it is its content says. A file .fetched in the " +
			"directory notes the sum: if it is the wanted one nothing is to do; else the tree is replaced. A directory that " +
			"fetch.tree did not make, and that is not empty, is an error.\n\n" +
			"Directories and programs get the mode 0755 and other files 0644, and all belong to whoever runs infrarun. Refused are " +
			"names and links that lead out of the tree, devices, and more than 4 GiB or 500000 entries. With a sum h1, which covers " +
			"only names and contents, every entry is a file, and executable says which are programs.",
		Example: `fetch.tree("https://proxy.example/golang.org/toolchain/@v/v0.0.1-go1.26.8.linux-amd64.zip", "/usr/local/go",` + "\n" +
			`    sum = GO_SUM, strip = 2, executable = ["bin/*", "pkg/tool/*/*"], provides = ["bin/go", "bin/gofmt"])`,
	}, func(c *runtime.Call, a treeArgs) (starlark.Value, error) {
		d, err := a.prepare(c)
		if err == nil {
			err = a.check()
		}
		if err != nil {
			return nil, err
		}
		return c.Do(&fetchTree{
			download: d, provides: a.Provides, temp: beside(d.dst), view: filesys.Read(c.Reader()),
			wanted: record{Sum: d.sum.canonical(), Strip: a.Strip, Executable: a.Executable},
		})
	})
}

// check looks at the parameters that only fetch.tree has.
func (a *treeArgs) check() error {
	if a.Strip < 0 {
		return fmt.Errorf("for parameter strip: %d is negative", a.Strip)
	}
	for _, p := range a.Executable {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			return fmt.Errorf("for parameter executable: %q is no pattern", p)
		}
	}
	for _, p := range a.Provides {
		if !fs.ValidPath(p) || p == "." {
			return fmt.Errorf("for parameter provides: %q is no path below dst, such as bin/go", p)
		}
	}
	return nil
}

// fetchTree is the change that fetch.tree makes.
type fetchTree struct {
	*download
	provides []string
	wanted   record
	temp     string // the directory where the tree is made before it gets its name
	view     *filesys.View

	replace bool   // there is a directory
	aside   string // where that goes; "" in a rollback, which keeps nothing to undo it with
}

var _ runtime.Change = (*fetchTree)(nil)

// Describe implements runtime.Change.
func (x *fetchTree) Describe() runtime.Description {
	return runtime.Description{
		Call: "fetch.tree", Target: x.dst, Needs: needs(x.view, x.download), Tree: true, Undo: runtime.Exact,
		UndoNote: "removes the tree, and puts back the one before",
	}
}

// Probe implements runtime.Change.
func (x *fetchTree) Probe(_ context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	found := runtime.Finding{Needed: true, Summary: fmt.Sprintf("download %s (sum %s) and unpack it", x.shown, x.sum)}
	info, err := x.view.Lstat(x.dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return found, dirAbove(x.view, x.dst)
	case err == nil && info.Kind != filesys.Dir && info.Opaque == "":
		return found, fmt.Errorf("there is a %s at %s; remove it with fs.remove, or choose another directory", info.Kind, x.dst)
	}
	var there record
	if err == nil {
		x.replace = true
		if err = x.view.RefuseWhole(x.dst); err != nil {
			return found, err
		}
		there, err = recordIn(x.view, x.dst)
	}
	switch {
	case isUnknown(err):
		found.Assumed = fmt.Sprintf("that nothing is at %s, or a tree that fetch.tree made: that is known only in a run", x.dst)
		return found, nil
	case errors.Is(err, fs.ErrNotExist):
		return found, x.mustBeEmpty()
	case err != nil:
		return found, err
	}
	if there.same(x.wanted) && x.complete() {
		return runtime.Finding{Summary: "it is unpacked there already", Value: x.value(false, there)}, nil
	}
	found.Summary += ", in the place of the tree there, of the sum " + there.Sum
	return found, nil
}

// mustBeEmpty fails for a directory with something in it.
func (x *fetchTree) mustBeEmpty() error {
	names, err := x.view.Names(x.dst)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("fetch.tree did not make the directory %s, so it does not replace it, and it is not empty (there is %s); "+
			"choose another directory, or remove it with fs.remove", x.dst, names[0])
	}
	return err
}

// complete reports whether the programs are there that the tree is to have.
func (x *fetchTree) complete() bool {
	for _, p := range x.provides {
		info, err := x.view.Stat(filepath.Join(x.dst, p))
		if err != nil || info.Kind != filesys.File || info.Mode&0o111 == 0 {
			return false
		}
	}
	return true
}

// Apply implements runtime.Change.
func (x *fetchTree) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	made, err := newTreeMaker(w, x).make(ctx)
	if err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(x.dst, filepath.Join(x.dst, recordName))
	return runtime.Applied{Value: x.value(true, made), After: after}, err
}

// Predict implements runtime.Change.
func (x *fetchTree) Predict(w *runtime.World) (starlark.Value, error) {
	over, what := filesys.Predicted(w), "what is unpacked from "+x.shown
	note, err := x.wanted.encode()
	if err == nil {
		err = over.OpaqueTree(x.dst, what)
	}
	if err == nil {
		err = over.WriteFile(filepath.Join(x.dst, recordName), note, 0o644, filesys.Keep, filesys.Keep)
	}
	for _, p := range x.provides {
		if err == nil {
			err = over.Opaque(filepath.Join(x.dst, p), what)
		}
		if err == nil {
			err = over.Chmod(filepath.Join(x.dst, p), 0o755)
		}
	}
	return x.value(true, x.wanted), err
}

// value is what the call evaluates to.
func (x *fetchTree) value(changed bool, r record) starlark.Value {
	fields := starlark.StringDict{"path": starlark.String(x.dst), "changed": starlark.Bool(changed)}
	if r.Files == 0 {
		return runtime.NewPartial(fields, []string{"files", "bytes"}, "the size of what fetch.tree unpacks to "+x.dst, downloadsNothing)
	}
	fields["files"], fields["bytes"] = starlark.MakeInt(r.Files), starlark.MakeInt64(r.Bytes)
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
