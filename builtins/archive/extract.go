package archive

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
)

type extractArgs struct {
	Path string `arg:"path" doc:"the archive; a relative path is relative to the directory infrarun was started in"`
	Dst  string `arg:"dst" doc:"the directory to make, or an empty one; the one above it must exist. Of an archive of a single file, the file"`
}

func extractBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "archive.extract", Undo: runtime.Exact, Permission: "fs.read on path, fs.write on dst",
		Returns: "struct(path, entries, files, bytes)",
		Doc: "Unpacks an archive into a directory of its own, which is there as a whole or not at all. Modes, times, links, empty " +
			"directories and capabilities are as they were packed, and for root the owners as well: by name, where the machine has " +
			"the name, else by number.\n\n" +
			"The archive is first read to its end. One that is damaged, lacks its sums, or has in it what archive.create never writes " +
			"(a name that leads out of the directory or through a link, a hard link, a device) is refused before a file is made.",
		Example: `archive.extract(backup + "/app.tar.zst", "/opt/app/releases/restored")`,
	}, func(c *runtime.Call, a extractArgs) (starlark.Value, error) {
		path, err := target(c, "path", a.Path)
		if err != nil {
			return nil, err
		}
		dst, err := target(c, "dst", a.Dst)
		if err != nil {
			return nil, err
		}
		// The name is random, so that nothing can be prepared there by somebody else.
		temp := filepath.Join(filepath.Dir(dst), ".infrarun-extract-"+rand.Text())
		return c.Do(&extraction{path: path, dst: dst, temp: temp, view: filesys.Read(c.Reader())})
	})
}

// extraction is the change that archive.extract makes.
type extraction struct {
	path, dst string
	temp      string // where the tree is made before it gets its name
	view      *filesys.View

	known   bool   // the archive could be read; in a preview it may only be predicted
	real    string // where the archive is
	found   contents
	replace bool   // dst is an empty directory
	aside   string // where that goes; "" in a rollback, which is not undone
}

var _ runtime.Change = (*extraction)(nil)

// Describe implements runtime.Change.
func (x *extraction) Describe() runtime.Description {
	needs := append(x.view.Needs(readKind, x.path), x.view.Needs(writeKind, x.dst)...)
	return runtime.Description{
		Call: "archive.extract", Target: x.dst, Needs: needs, Undo: runtime.Exact, UndoNote: "removes what was unpacked",
	}
}

// Probe implements runtime.Change.
func (x *extraction) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	none := runtime.Finding{}
	if err := x.lookAtDst(); err != nil {
		return none, err
	}
	info, err := archiveAt(x.view, x.path)
	if err != nil {
		return none, err
	}
	if info.Opaque != "" {
		return runtime.Finding{
			Needed: true, Summary: "unpack " + x.path, Assumed: fmt.Sprintf("%s, %s, is whole, and there is room for its content", x.path, info.Opaque),
		}, nil
	}
	if err := x.lookAtArchive(ctx, r, info); err != nil {
		return none, err
	}
	return runtime.Finding{
		Needed:  true,
		Summary: fmt.Sprintf("unpack %s, %d files of %s", x.path, x.found.files, filesys.Bytes(x.found.bytes)),
	}, nil
}

// lookAtDst fails if something is in the way.
func (x *extraction) lookAtDst() error {
	info, err := x.view.Lstat(x.dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return x.view.DirAbove(x.dst)
	case err != nil:
		return err
	case info.Kind != filesys.Dir || info.Opaque != "":
		return fmt.Errorf("something is at %s already; unpack elsewhere, or remove it with fs.remove", x.dst)
	}
	names, err := x.view.Names(x.dst)
	if err == nil && len(names) > 0 {
		err = fmt.Errorf("the directory %s is not empty (there is %s); unpack elsewhere, or remove it with fs.remove", x.dst, names[0])
	}
	if err != nil {
		return err
	}
	x.replace = true
	return x.view.RefuseWhole(x.dst)
}

// lookAtArchive reads the archive to its end.
func (x *extraction) lookAtArchive(ctx context.Context, r *runtime.Reader, info filesys.Info) error {
	f, err := x.view.Open(x.path)
	if err != nil {
		return err
	}
	defer f.Close()
	x.found, err = scan(ctx, newReading(f, "check "+x.path, info.Size, r.Progress), func(entry, io.Reader) error { return nil })
	if err == nil && len(x.found.wrong) > 0 {
		err = bad("%s", x.found.wrong[0])
	}
	if err != nil {
		return fmt.Errorf("%s: %w", x.path, err)
	}
	if x.replace && !x.found.root {
		return fmt.Errorf("%s is an archive of a single file, and %s is a directory; name the file to make", x.path, x.dst)
	}
	if x.real, err = x.view.Follow(x.path); err != nil {
		return err
	}
	x.known = true
	return filesys.CheckRoom(x.dst, x.found.bytes)
}

// extractKind is the kind of the undo records of archive.extract.
const extractKind = "archive.extract"

// extractUndo takes back an extraction.
type extractUndo struct {
	Temp filesys.Path `json:"temp"` // where an interrupted one left its files
	Dst  filesys.Path `json:"dst"`
	// Aside is where the empty directory was moved in whose place dst came, "" if nothing was there.
	Aside filesys.Path     `json:"aside,omitempty"`
	Moved fileundo.Records `json:"moved,omitempty"` // moves that back
	Made  fileundo.Records `json:"made"`            // removes dst
}

// Undo implements runtime.Change.
func (x *extraction) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	args := extractUndo{Temp: filesys.Path(x.temp), Dst: filesys.Path(x.dst)}
	if x.replace {
		var err error
		if x.aside, err = k.TrashPath(); err != nil {
			return nil, err
		}
		args.Aside = filesys.Path(x.aside)
		if err := args.Moved.Add(filesys.UndoMoved(k, x.dst, x.aside)); err != nil {
			return nil, err
		}
	}
	if err := args.Made.Add(filesys.UndoCreatedTree(k, x.dst)); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: extractKind, Args: args, Note: "removes what was unpacked into " + x.dst}, nil
}

func undoExtract(ctx context.Context, w *runtime.Writer, args extractUndo) error {
	err := filesys.Writable(w).Delete(string(args.Temp))
	// The empty directory itself is there as long as it was not moved, or when it has been moved back.
	if args.Aside == "" || exists(args.Aside) || !exists(args.Dst) {
		err = errors.Join(err, args.Made.Undo(ctx, w))
	}
	return errors.Join(err, args.Moved.Undo(ctx, w))
}

func exists(path filesys.Path) bool {
	_, err := os.Lstat(string(path))
	return err == nil
}

// Apply implements runtime.Change.
func (x *extraction) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := newUnpacking(w, x).unpack(ctx); err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{Value: x.value()}, nil
}

// Predict implements runtime.Change.
func (x *extraction) Predict(w *runtime.World) (starlark.Value, error) {
	over, what := filesys.Predicted(w), "what is unpacked from "+x.path
	if !x.known {
		return runtime.NewUnknown(fmt.Sprintf("the result of archive.extract(%q)", x.path),
			"the archive is only made by a run: use the path that was given"), over.OpaqueTree(x.dst, what)
	}
	if !x.found.root {
		return x.value(), over.Opaque(x.dst, what)
	}
	return x.value(), over.OpaqueTree(x.dst, what)
}

func (x *extraction) value() starlark.Value {
	return structOf(starlark.StringDict{
		"path": starlark.String(x.dst), "entries": starlark.MakeInt(x.found.entries), "files": starlark.MakeInt(x.found.files),
		"bytes": starlark.MakeInt64(x.found.bytes),
	})
}
