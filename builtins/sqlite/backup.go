package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type backupArgs struct {
	Src     string          `arg:"src" doc:"the database; a relative path is relative to the directory infrarun was started in"`
	Dst     string          `arg:"dst" doc:"where the copy goes; nothing may be there"`
	Timeout runtime.Seconds `arg:"timeout" default:"30s" doc:"how long to wait for those who keep the database locked, in seconds"`
}

func backupBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "sqlite.backup", Undo: runtime.Exact,
		Returns:    "struct(path, size, pages): the copy, its size in bytes and its number of pages",
		Permission: "fs.read on src, fs.write on dst",
		Doc: "Copies a SQLite database consistently while others use it, by SQLite's online backup. The copy has " +
			"everything that was committed before it began. It is a single file of mode 0600; it passes SQLite's integrity " +
			"check before it gets its name, and there is never a part of one under that name. Nothing is made or changed " +
			"beside the database. Who writes to a database with a write-ahead log is not held up; without one he waits until " +
			"the copy is made.",
		Example: `sqlite.backup("/var/lib/app/app.db", "/var/backups/app/app.db")`,
	}, func(c *runtime.Call, a backupArgs) (starlark.Value, error) {
		b := &backup{
			src: filesys.Abs(c.BaseDir(), a.Src), dst: filesys.Abs(c.BaseDir(), a.Dst),
			view: filesys.Read(c.Reader()), access: newAccess(c.Reader(), a.Timeout),
		}
		b.draft = filesys.Beside(c.RunID(), b.dst, copyPurpose)
		return c.Do(b)
	})
}

// copyPurpose is the purpose of the name of a copy until it is whole, for [filesys.Beside].
const copyPurpose = "sqlite"

// backup is the change that sqlite.backup makes.
type backup struct {
	src, dst string
	draft    string // what the copy is called until it is whole
	view     *filesys.View
	access   access

	found source
	size  int64 // of the database, when it was probed
}

var _ runtime.Change = (*backup)(nil)

// Describe implements runtime.Change.
func (b *backup) Describe() runtime.Description {
	needs := append(b.view.Needs("fs.read", b.src), b.view.Needs("fs.write", b.dst)...)
	return runtime.Description{
		Call: "sqlite.backup", Target: b.dst, Needs: needs, Undo: runtime.Exact, UndoNote: "removes the copy",
	}
}

// Probe implements runtime.Change.
func (b *backup) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	none := runtime.Finding{}
	if err := b.view.DirAbove(b.dst); err != nil {
		return none, err
	}
	if err := b.nothingThere(); err != nil {
		return none, err
	}
	var err error
	if b.found, err = findSource(b.view, b.src); err != nil {
		return none, err
	}
	if b.found.info.Opaque != "" {
		return runtime.Finding{Needed: true, Summary: "copy of " + b.src + ", mode 0600", Assumed: "there is room for a copy of " + b.src}, nil
	}
	if err := b.looksRight(); err != nil {
		return none, err
	}
	if b.size, err = b.found.size(); err != nil {
		return none, err
	}
	if err := filesys.CheckRoom(b.dst, b.size); err != nil {
		return none, err
	}
	summary := fmt.Sprintf("copy of %s, about %s, mode 0600", b.src, filesys.Bytes(b.size))
	return runtime.Finding{Needed: true, Summary: summary}, nil
}

// nothingThere fails if the copy would take the place of something, or find the log of another database beside it.
func (b *backup) nothingThere() error {
	for _, path := range append([]string{b.dst}, sideFiles(b.dst)...) {
		_, err := b.view.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return err
		case path == b.dst:
			return errors.New("is there already, and a backup replaces nothing; choose another name, or remove it with fs.remove")
		default:
			return fmt.Errorf("%s is left from another database, and would be taken for a part of the copy; choose another name, or remove it with fs.remove", path)
		}
	}
	return nil
}

// looksRight fails for what is no database.
func (b *backup) looksRight() error {
	f, err := b.view.Open(b.src)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := checkMagic(f); err != nil {
		return fmt.Errorf("read %s: %w", b.src, err)
	}
	return nil
}

// Undo implements runtime.Change.
func (b *backup) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.UndoCreated(k, b.draft, b.dst), nil
}

// Apply implements runtime.Change.
func (b *backup) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	pages, err := newCopier(w, b.draft).backup(ctx, b.access, b.found.path, b.dst)
	if err != nil {
		return runtime.Applied{}, err
	}
	size, err := sizeOf(b.dst)
	if err != nil {
		return runtime.Applied{}, err
	}
	left, err := filesys.LeftAt(b.dst)
	return runtime.Applied{After: left, Value: starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"path": starlark.String(b.dst), "size": starlark.MakeInt64(size), "pages": starlark.MakeInt(pages),
	})}, err
}

// Predict implements runtime.Change.
func (b *backup) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	if err := over.Opaque(b.dst, "the backup of "+b.src); err != nil {
		return nil, err
	}
	unknown := runtime.NewUnknown(fmt.Sprintf("the result of sqlite.backup(%q)", b.src),
		"the database may change until a run copies it: use the path that was given, and size and pages in a run only")
	return unknown, over.Chmod(b.dst, copyMode)
}
