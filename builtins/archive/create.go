package archive

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type createArgs struct {
	Src     string          `arg:"src" doc:"the directory or file to pack; if it is a link, what that leads to. A relative path is relative to the directory infrarun was started in"`
	Dst     string          `arg:"dst" doc:"the archive to make, such as app.tar.zst; nothing may be there"`
	Exclude runtime.Strings `arg:"exclude" default:"" doc:"what to leave out: patterns with * ? [a-z] for a name anywhere, or for a path from src on"`
	Level   int             `arg:"level" default:"3" doc:"how hard to compress, as of zstd: 1 (fast) to 19 (small)"`
}

func createBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "archive.create", Undo: runtime.Exact,
		Returns:    "struct(path, size, files, bytes, sha256, left_out): the archive, its size in bytes, how many files of how many bytes are in it, its own sum, and the list of what could not be packed",
		Permission: "fs.read on src, fs.write on dst",
		Doc: "Packs a file, or a directory with all that is in it, into one file: tar, compressed with zstd. Modes, owners, " +
			"times, links, empty directories and capabilities are kept; the second name of a file that has several is packed as " +
			"a file of its own; sockets, pipes and devices are left out. The archive has the mode 0600. It gets its name when it is " +
			"whole and on the disk; beside it is then a file of SHA-256 sums, dst + \".sha256\".\n\n" +
			"A file that changes while it is read is read again, up to three times; if it still changes that is an error, which " +
			"names it. What is always written to, such as a log, is left out with exclude; a database in use is first copied " +
			"with sqlite.backup. It is refused if the disk has no room for the content uncompressed.",
		Example: `archive.create("/opt/app", backup + "/app.tar.zst", exclude = ["*.log", "cache/"])`,
	}, func(c *runtime.Call, a createArgs) (starlark.Value, error) {
		src, err := target(c, "src", a.Src)
		if err != nil {
			return nil, err
		}
		dst, err := target(c, "dst", a.Dst)
		if err != nil {
			return nil, err
		}
		out, err := newExcludes(a.Exclude)
		if err != nil {
			return nil, err
		}
		if a.Level < 1 || a.Level > 19 {
			return nil, fmt.Errorf("for parameter level: got %d, want 1 to 19", a.Level)
		}
		return c.Do(&creation{
			src: src, dst: dst, draft: filesys.Beside(c.RunID(), dst, "archive"), exclude: out, level: a.Level, view: filesys.Read(c.Reader()),
		})
	})
}

// creation is the change that archive.create makes.
type creation struct {
	src, dst string
	draft    string // what the archive is called until it is whole
	exclude  excludes
	level    int
	view     *filesys.View

	root string // where src really is
	plan plan
}

var _ runtime.Change = (*creation)(nil)

// Describe implements runtime.Change.
func (cr *creation) Describe() runtime.Description {
	needs := append(cr.view.Needs(readKind, cr.src), cr.view.Needs(writeKind, cr.dst)...)
	needs = append(needs, cr.view.Needs(writeKind, besideOf(cr.dst))...)
	return runtime.Description{
		Call: "archive.create", Target: cr.dst, Needs: needs, Tree: true, Undo: runtime.Exact, UndoNote: "removes the archive",
	}
}

// Probe implements runtime.Change.
func (cr *creation) Probe(ctx context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	none := runtime.Finding{}
	var err error
	if cr.root, err = cr.view.Follow(cr.src); errors.Is(err, fs.ErrNotExist) {
		return none, fmt.Errorf("there is nothing to pack at %s: %w", cr.src, fs.ErrNotExist)
	} else if err != nil {
		return none, err
	}
	for _, path := range []string{cr.dst, besideOf(cr.dst)} {
		if err := nothingAt(cr.view, path); err != nil {
			return none, err
		}
	}
	if err := cr.view.DirAbove(cr.dst); err != nil {
		return none, err
	}
	if err := cr.apart(); err != nil {
		return none, err
	}
	if cr.plan, err = newPlan(ctx, cr.view, cr.root, cr.exclude); err != nil {
		return none, err
	}
	if err := filesys.CheckRoom(cr.dst, cr.plan.room()); err != nil {
		return none, err
	}
	return runtime.Finding{
		Needed: true, Assumed: cr.plan.doubts,
		Summary: fmt.Sprintf("pack %s, %d files of %s", cr.src, cr.plan.files, filesys.Bytes(cr.plan.bytes)),
	}, nil
}

// apart fails if the archive would be packed into itself. It is enough that its directory is left out.
func (cr *creation) apart() error {
	real, err := cr.view.Resolve(cr.dst)
	if err != nil {
		return err
	}
	dir, inside := strings.CutPrefix(filepath.Dir(real)+"/", strings.TrimSuffix(cr.root, "/")+"/")
	if !inside {
		return nil
	}
	for at := filepath.Clean(dir); at != "."; at = filepath.Dir(at) {
		if cr.exclude.match(at) {
			return nil
		}
	}
	if top, _, below := strings.Cut(dir, "/"); below {
		return fmt.Errorf("it lies in %s, and would be packed into itself; leave its directory out with exclude = [%q], or write it elsewhere", cr.src, top)
	}
	return fmt.Errorf("it lies in %s, and would be packed into itself; write it elsewhere", cr.src)
}

// Undo implements runtime.Change.
func (cr *creation) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.UndoCreated(k, cr.draft, besideOf(cr.dst), cr.dst), nil
}

// Apply implements runtime.Change.
func (cr *creation) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	made, err := newPacker(w, cr).pack(ctx)
	if err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(cr.dst, besideOf(cr.dst))
	return runtime.Applied{Value: made.value(cr.dst), After: after}, err
}

// Predict implements runtime.Change.
func (cr *creation) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	for _, path := range []string{cr.dst, besideOf(cr.dst)} {
		if err := over.Opaque(path, "the archive of "+cr.src); err != nil {
			return nil, err
		}
		if err := over.Chmod(path, archiveMode); err != nil {
			return nil, err
		}
	}
	return runtime.NewUnknown(fmt.Sprintf("the result of archive.create(%q)", cr.src),
		"what is packed may change until a run packs it: use the path that was given, and size and sum in a run only"), nil
}

// made is what an archive that was made has in it.
type made struct {
	size    int64 // of the archive
	files   int
	bytes   int64 // of the files in it
	sha256  string
	leftOut []string
}

func (m made) value(path string) starlark.Value {
	var leftOut []starlark.Value
	for _, name := range m.leftOut {
		leftOut = append(leftOut, starlark.String(name))
	}
	return structOf(starlark.StringDict{
		"path": starlark.String(path), "size": starlark.MakeInt64(m.size), "files": starlark.MakeInt(m.files),
		"bytes": starlark.MakeInt64(m.bytes), "sha256": starlark.String(m.sha256), "left_out": starlark.NewList(leftOut),
	})
}
