package fs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type tempDirArgs struct {
	Prefix string `arg:"prefix" default:"" doc:"a word for its name, so that one can tell what it is for"`
}

var tempDirBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.temp_dir", Returns: "string, its path", Undo: runtime.Exact,
	Doc: "Makes an empty directory for this run alone, below infrarun's own cache. A rollback removes it; what a run " +
		"that succeeded left in it is gone when a later run asks for one. What a recipe does with files in it needs no " +
		"permission.",
	Example: `work = fs.temp_dir("build")`,
}, func(c *runtime.Call, a tempDirArgs) (starlark.Value, error) {
	if strings.ContainsAny(a.Prefix, "/\x00") || strings.HasPrefix(a.Prefix, ".") {
		return nil, fmt.Errorf("prefix is %q, want a word without a slash", a.Prefix)
	}
	return c.Do(&makingTemp{prefix: a.Prefix})
})

// makingTemp is the change of fs.temp_dir. The path follows from how many there were before in this run, so that
// a preview and the run that follows it have the same one.
type makingTemp struct {
	prefix string
	path   string
}

// Describe implements [runtime.Change].
func (m *makingTemp) Describe() runtime.Description {
	name := "temporary directory"
	if m.prefix != "" {
		name += " " + m.prefix
	}
	return runtime.Description{Call: "fs.temp_dir", Target: name, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (m *makingTemp) Probe(_ context.Context, r *runtime.Reader) (runtime.Finding, error) {
	n := runtime.Overlay(r.World(), "fs.temp_dir", func() *atomic.Int64 { return new(atomic.Int64) })
	name := fmt.Sprint(n.Add(1))
	if m.prefix != "" {
		name += "-" + m.prefix
	}
	m.path = filepath.Join(r.Cache(), "tmp", name)
	return runtime.Finding{Needed: true, Summary: "create, mode 0700"}, nil
}

// Undo implements [runtime.Change].
func (m *makingTemp) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.UndoTemp(k, m.path), nil
}

// Apply implements [runtime.Change]. What an earlier run has left at the path is deleted: it was that run's own.
func (m *makingTemp) Apply(_ context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x := filesys.Writable(w)
	if _, err := x.MkdirAll(filepath.Dir(m.path), 0o700, filesys.Keep, filesys.Keep); err != nil {
		return runtime.Applied{}, err
	}
	if err := x.Delete(m.path); err != nil {
		return runtime.Applied{}, err
	}
	if err := x.Mkdir(m.path, 0o700, filesys.Keep, filesys.Keep); err != nil {
		return runtime.Applied{}, err
	}
	filesys.AddTemp(w.World(), m.path)
	return runtime.Applied{Value: starlark.String(m.path)}, nil
}

// Predict implements [runtime.Change].
func (m *makingTemp) Predict(world *runtime.World) (starlark.Value, error) {
	o := filesys.Predicted(world)
	if err := o.Remove(m.path); err != nil {
		return nil, err
	}
	if err := o.MkdirAll(m.path, 0o700, filesys.Keep, filesys.Keep); err != nil {
		return nil, err
	}
	filesys.AddTemp(world, m.path)
	return starlark.String(m.path), nil
}
