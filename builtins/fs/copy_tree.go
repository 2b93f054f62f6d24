package fs

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

type copyTreeArgs struct {
	Src     string          `arg:"src" doc:"the directory to copy; if it is a link, what that leads to"`
	Dst     string          `arg:"dst" doc:"the directory that is to have the same in it; the one above it must exist"`
	Exclude runtime.Strings `arg:"exclude" default:"" doc:"what to leave out: patterns with * ? [a-z] for a name anywhere, or for a path from src on"`
}

var copyTreeBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.copy_tree", Returns: changedDoc, Permission: "fs.read on src, fs.write on dst", Undo: runtime.Exact,
	Doc: "Copies a directory with all that is below it, as far as it differs: files with their modes, directories, " +
		"links as links. What dst has beside that stays. All is one change, with one wait for the disk.",
	Example: `fs.copy_tree(checkout, release, exclude = [".git", "*.test"])`,
}, func(c *runtime.Call, a copyTreeArgs) (starlark.Value, error) {
	src, err := at(c, readKind, a.Src)
	if err != nil {
		return nil, err
	}
	dst, err := at(c, writeKind, a.Dst)
	if err != nil {
		return nil, err
	}
	exclude, err := readExcludes(a.Exclude)
	if err != nil {
		return nil, err
	}
	dst.needs = append(src.needs, dst.needs...)
	return c.Do(&copyingTree{src: src.path, dst: dst, exclude: exclude})
})

// copyingTree is the change of fs.copy_tree.
type copyingTree struct {
	src     string
	dst     target
	exclude excludes
	plan    treePlan
}

// Describe implements [runtime.Change].
func (t *copyingTree) Describe() runtime.Description {
	return runtime.Description{Call: "fs.copy_tree", Target: t.dst.path, Needs: t.dst.needs, Tree: true, Undo: runtime.Exact}
}

// Probe implements [runtime.Change].
func (t *copyingTree) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	root, err := v.Follow(t.src)
	if err != nil {
		return runtime.Finding{}, err
	}
	i, err := v.Lstat(root)
	if err != nil {
		return runtime.Finding{}, err
	}
	if i.Kind != filesys.Dir && i.Opaque == "" {
		return runtime.Finding{}, fmt.Errorf("%s is a %s, not a directory; fs.copy copies a file", t.src, i.Kind)
	}
	real, err := v.Resolve(t.dst.path)
	if isNotExist(err) {
		return runtime.Finding{}, parentThere(v, t.dst.path)
	} else if err != nil {
		return runtime.Finding{}, err
	}
	if real == root || strings.HasPrefix(real, root+"/") {
		return runtime.Finding{}, fmt.Errorf("%s lies in %s, and would be copied into itself", t.dst.path, t.src)
	}
	t.plan = treePlan{view: v, dst: t.dst.path}
	if err := t.planTree(ctx, v, root); err != nil {
		return runtime.Finding{}, err
	}
	return t.plan.finding(), checkRoom(v, t.plan.files)
}

// planTree compares everything below root with what is to be a copy of it.
func (t *copyingTree) planTree(ctx context.Context, v *filesys.View, root string) error {
	return v.Walk(ctx, root, func(i filesys.Info) error {
		rel, err := filepath.Rel(root, i.Path)
		if err != nil {
			return err
		}
		if t.exclude.match(rel) {
			if i.Kind == filesys.Dir {
				return skipDir
			}
			return nil
		}
		return t.plan.add(i, filepath.Join(t.dst.path, rel))
	})
}

// maxListed is up to how many files an undo record names each. For more the journal would be slow.
const maxListed = 10_000

// Undo implements [runtime.Change].
func (t *copyingTree) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	touched := t.plan.touched()
	if t.plan.wholly() && len(touched) > maxListed {
		return filesys.UndoCreatedTree(k, t.dst.path), nil
	}
	return filesys.KeepFiles(ctx, k, touched)
}

// Apply implements [runtime.Change].
func (t *copyingTree) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := t.plan.apply(ctx, filesys.Writable(w)); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(t.plan.touched()...)
	return runtime.Applied{Value: result(t.dst.path, true), After: after}, err
}

// Predict implements [runtime.Change].
func (t *copyingTree) Predict(world *runtime.World) (starlark.Value, error) {
	return result(t.dst.path, true), t.plan.predict(filesys.Predicted(world))
}
