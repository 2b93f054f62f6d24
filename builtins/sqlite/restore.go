package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type restoreArgs struct {
	Src     string          `arg:"src" doc:"a backup that sqlite.backup made; a relative path is relative to the directory infrarun was started in"`
	Dst     string          `arg:"dst" doc:"the database that it takes the place of, which nobody may have open"`
	Timeout runtime.Seconds `arg:"timeout" default:"30s" doc:"how long to wait for those who keep the backup locked, in seconds"`
}

func restoreBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "sqlite.restore", Undo: runtime.Exact,
		Returns:    "struct(path, changed): the database, and whether it was not the same already",
		Permission: "fs.read on src, fs.write on dst",
		Doc: "Puts a backup in the place of a SQLite database. First the backup must pass SQLite's integrity check, and nobody " +
			"may have the database open: stop the service before. The file is replaced atomically and keeps its owner and " +
			"mode (0600 and infrarun's user where there was none); the log of the old database is removed, since it would be " +
			"taken for a part of the new one. Undoing puts the old database back with its log, and drops what has been " +
			"written to the new one.",
		Example: "process.stop(\"app\", dir = run_dir)\nsqlite.restore(\"/var/backups/app/app.db\", \"/var/lib/app/app.db\")",
	}, func(c *runtime.Call, a restoreArgs) (starlark.Value, error) {
		return c.Do(&restore{
			src: filesys.Abs(c.BaseDir(), a.Src), dst: filesys.Abs(c.BaseDir(), a.Dst),
			view: filesys.Read(c.Reader()), access: newAccess(c.Reader(), a.Timeout),
		})
	})
}

// restore is the change that sqlite.restore makes.
type restore struct {
	src, dst string
	view     *filesys.View
	access   access

	found source
	mode  fs.FileMode // that dst is to have
}

var _ runtime.Change = (*restore)(nil)

// Describe implements runtime.Change.
func (r *restore) Describe() runtime.Description {
	needs := append(r.view.Needs("fs.read", r.src), r.view.Needs("fs.write", r.dst)...)
	return runtime.Description{
		Call: "sqlite.restore", Target: r.dst, Needs: needs, Undo: runtime.Exact, UndoNote: "puts the old database back, with its log",
		Touches: sideFiles(r.dst),
	}
}

// Probe implements runtime.Change.
func (r *restore) Probe(ctx context.Context, reader *runtime.Reader) (runtime.Finding, error) {
	none := runtime.Finding{}
	if err := r.view.DirAbove(r.dst); err != nil {
		return none, err
	}
	old, err := r.lookAtOld()
	if err != nil {
		return none, err
	}
	if r.found, err = findSource(r.view, r.src); err != nil {
		return none, err
	}
	var assumed []string
	if r.found.info.Opaque != "" {
		assumed = append(assumed, r.src+" is whole, and there is room for it")
	} else {
		if err := r.checkSource(ctx); err != nil {
			return none, err
		}
		if same, err := r.isSame(old); err != nil || same {
			return runtime.Finding{Summary: "same content", Value: r.value(false)}, err
		}
		if err := filesys.CheckRoom(r.dst, r.found.info.Size); err != nil {
			return none, err
		}
	}
	if err := r.unused(); err != nil {
		if !reader.Preview() {
			return none, err
		}
		assumed = append(assumed, fmt.Sprintf("nobody has %s open by then (now %v)", r.dst, err))
	}
	return runtime.Finding{Needed: true, Summary: r.summary(old), Assumed: strings.Join(assumed, "; ")}, nil
}

// lookAtOld describes what is to be replaced; its Kind is "" if there is nothing.
func (r *restore) lookAtOld() (filesys.Info, error) {
	r.mode = copyMode
	old, err := r.view.Lstat(r.dst)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return filesys.Info{}, nil
	case err != nil:
		return old, err
	case old.Kind == filesys.Link:
		return old, fmt.Errorf("is a link to %s; name the database itself", old.Target)
	case old.Kind != filesys.File:
		return old, fmt.Errorf("is a %s, not a database", old.Kind)
	}
	r.mode = old.Mode
	return old, nil
}

// checkSource fails unless the backup is whole, in one file.
func (r *restore) checkSource(ctx context.Context) error {
	if r.found.path != "" {
		if err := inOneFile(r.found.path); err != nil {
			return err
		}
	}
	problems, err := r.access.check(ctx, r.found, false)
	if err == nil && len(problems) > 0 {
		err = fmt.Errorf("the backup %s is damaged, and is not restored: %s; take another one", r.src, problems[0])
	}
	return err
}

// inOneFile fails if a database has a log or a journal: then its file is not all of it.
func inOneFile(path string) error {
	now, err := stateOf(path)
	if err == nil && now != quiet {
		err = fmt.Errorf("%s is in use, or was when its process was killed: there is a log or a journal beside it, so the file "+
			"alone is not the whole database; make a copy with sqlite.backup and restore that", path)
	}
	return err
}

// isSame reports whether the database is what the backup is already, with no log that says otherwise.
func (r *restore) isSame(old filesys.Info) (bool, error) {
	if old.Kind != filesys.File || old.Opaque != "" || old.Size != r.found.info.Size {
		return false, nil
	}
	for _, suffix := range []string{walSuffix, journalSuffix} {
		info, err := r.view.Lstat(r.dst + suffix)
		if err == nil && info.Size > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
			return false, err
		}
	}
	was, err := r.view.Hash(r.dst)
	if err != nil {
		return false, err
	}
	wanted, err := r.view.Hash(r.src)
	return was == wanted, err
}

// unused fails if somebody has the database open: he would go on with the old file, and write into nothing.
func (r *restore) unused() error {
	users := usersOf(r.dst)
	if len(users) == 0 {
		return nil
	}
	var names []string
	for _, u := range users {
		names = append(names, u.String())
	}
	return &inUseError{r.dst, strings.Join(names, ", ")}
}

// inUseError is a database that somebody has open.
type inUseError struct{ path, by string }

func (e *inUseError) Error() string { return e.path + " is open in " + e.by }

// Hint says what to do about it.
func (e *inUseError) Hint() string { return "stop what uses the database before it is restored" }

func (r *restore) summary(old filesys.Info) string {
	what := "replace by "
	if old.Kind == "" {
		what = "create from "
	}
	if r.found.info.Opaque != "" {
		return what + r.src
	}
	return fmt.Sprintf("%s%s, %s", what, r.src, filesys.Bytes(r.found.info.Size))
}

func (r *restore) value(changed bool) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"path": starlark.String(r.dst), "changed": starlark.Bool(changed),
	})
}

// Undo implements runtime.Change.
func (r *restore) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.KeepFiles(ctx, k, append(sideFiles(r.dst), r.dst))
}

// Apply implements runtime.Change.
func (r *restore) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := r.unused(); err != nil {
		return runtime.Applied{}, runtime.NotApplied(err) // keeping the old one took a while
	}
	if err := newReplacer(w).replace(ctx, r.access, r.found.path, r.dst, r.mode); err != nil {
		return runtime.Applied{}, err
	}
	left, err := filesys.LeftAt(r.dst, r.dst+walSuffix)
	return runtime.Applied{Value: r.value(true), After: left}, err
}

// Predict implements runtime.Change.
func (r *restore) Predict(w *runtime.World) (starlark.Value, error) {
	over := filesys.Predicted(w)
	for _, path := range sideFiles(r.dst) {
		if err := over.Remove(path); err != nil {
			return nil, err
		}
	}
	var err error
	if r.found.info.Opaque != "" {
		if err = over.Opaque(r.dst, "restored from "+r.src); err == nil {
			err = over.Chmod(r.dst, r.mode)
		}
	} else {
		err = over.CopyFile(r.src, r.dst, r.mode)
	}
	return r.value(true), err
}
