package fs

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type writeAllArgs struct {
	Files runtime.StringMap `arg:"files" doc:"the content of each file by its path; their directories must exist"`
	Mode  runtime.FileMode  `arg:"mode" default:"0644" doc:"permission bits of all of them"`
	Owner string            `arg:"owner" default:"" doc:"a user by name or number; empty keeps the owner"`
	Group string            `arg:"group" default:"" doc:"a group by name or number; empty keeps the group"`
}

var writeAllBuiltin = runtime.Define(runtime.Builtin{
	Name: "fs.write_all", Returns: "struct(changed = how many were)", Permission: "fs.write on each path", Undo: runtime.Exact,
	Doc: "Writes many files as one change. It does to each what fs.write does, but waits for the disk and for the " +
		"journal once for all, which for hundreds of files is many times faster.",
	Example: `fs.write_all({"/etc/app/" + name: text.template(t, data) for name, t in templates.items()})`,
}, func(c *runtime.Call, a writeAllArgs) (starlark.Value, error) {
	uid, gid, err := filesys.Read(c.Reader()).LookupOwner(a.Owner, a.Group)
	if err != nil {
		return nil, err
	}
	w := &writingAll{}
	seen := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(a.Files)) {
		t, err := fileAt(c, name)
		if err != nil {
			return nil, err
		}
		if other, ok := seen[t.path]; ok {
			return nil, fmt.Errorf("%s and %s are the same file", other, name)
		}
		seen[t.path] = name
		w.needs = append(w.needs, t.needs...)
		w.files = append(w.files, &file{path: t.path, content: []byte(a.Files[name]), mode: a.Mode, uid: uid, gid: gid})
	}
	return c.Do(w)
})

// writingAll is the change of many files: fs.write_all.
type writingAll struct {
	needs  []policy.Need
	files  []*file
	secret map[*file]bool
}

// Describe implements [runtime.Change].
func (w *writingAll) Describe() runtime.Description {
	d := runtime.Description{Call: "fs.write_all", Needs: w.needs, Undo: runtime.Exact}
	for _, f := range w.files {
		d.Touches = append(d.Touches, f.path)
	}
	d.Target = commonDir(d.Touches)
	return d
}

// commonDir returns the deepest directory that holds all of the paths.
func commonDir(paths []string) string {
	if len(paths) == 0 {
		return ""
	}
	dir := filepath.Dir(paths[0])
	for _, p := range paths[1:] {
		for dir != "/" && !strings.HasPrefix(p, dir+"/") {
			dir = filepath.Dir(dir)
		}
	}
	return dir
}

// maxDiffs is how many bytes the differences of all files together may show.
const maxDiffs = 64 << 10

// Probe implements [runtime.Change].
func (w *writingAll) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	v := filesys.Read(r)
	var diffs strings.Builder
	for _, f := range w.files {
		if err := context.Cause(ctx); err != nil {
			return runtime.Finding{}, err
		}
		if err := f.probe(v); err != nil {
			return runtime.Finding{}, err
		}
		if diffs.Len() > maxDiffs {
			continue
		}
		diff, err := f.diff(v)
		if err != nil {
			return runtime.Finding{}, err
		}
		diffs.WriteString(diff)
	}
	if err := checkRoom(v, w.files); err != nil {
		return runtime.Finding{}, err
	}
	if diffs.Len() > maxDiffs {
		diffs.WriteString("… the rest is not shown\n")
	}
	found := runtime.Finding{Summary: tally(w.files), Diff: diffs.String(), Value: countResult(0)}
	found.Needed = len(changed(w.files)) > 0
	if n := countBlind(w.files); n > 0 {
		found.Assumed = fmt.Sprintf("that %d of the files are to be written: what is there is known only in a run", n)
	}
	return found, nil
}

func countBlind(files []*file) int {
	n := 0
	for _, f := range files {
		if f.blind {
			n++
		}
	}
	return n
}

// tally says how many files are created, changed and kept.
func tally(files []*file) string {
	var created, rewritten, kept int
	for _, f := range files {
		switch f.action {
		case create:
			created++
		case keep:
			kept++
		default:
			rewritten++
		}
	}
	if kept == len(files) {
		return fmt.Sprintf("all %d already so", kept)
	}
	return fmt.Sprintf("create %d, change %d, keep %d", created, rewritten, kept)
}

// Undo implements [runtime.Change].
func (w *writingAll) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	w.secret = map[*file]bool{}
	for _, f := range w.files {
		w.secret[f] = filesys.Private(f.newMode()) || k.Secret(f.content)
	}
	return filesys.KeepFiles(ctx, k, changed(w.files))
}

// Apply implements [runtime.Change].
func (w *writingAll) Apply(ctx context.Context, wr *runtime.Writer) (runtime.Applied, error) {
	if err := apply(ctx, filesys.Writable(wr), w.files); err != nil {
		return runtime.Applied{}, err
	}
	after, err := left(w.files, func(f *file) bool { return w.secret[f] })
	return runtime.Applied{Value: countResult(len(changed(w.files))), After: after}, err
}

// Predict implements [runtime.Change].
func (w *writingAll) Predict(world *runtime.World) (starlark.Value, error) {
	return countResult(len(changed(w.files))), predict(filesys.Predicted(world), w.files)
}

func countResult(n int) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{"changed": starlark.MakeInt(n)})
}
