package pkg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type mirrorArgs struct {
	URI    string            `arg:"uri" doc:"the mirror, without the name of the archive: https://mirror.example, where https://mirror.example/debian is"`
	Others runtime.StringMap `arg:"others" default:"" doc:"further addresses to replace: how they begin, and what takes the place of that"`
}

func mirrorBuiltin() *runtime.Builtin {
	return runtime.Define(runtime.Builtin{
		Name: "pkg.mirror", Undo: runtime.Exact, Permission: "`pkg` on mirror:HOST", Returns: "struct(changed, files)",
		Doc: "Has the packages of the distribution fetched from a mirror: its addresses in the sources of packages are replaced, " +
			"all else in those files stays, and so do repositories of others unless they are named. Packages are signed, so a mirror " +
			"cannot put others in their place. A rollback puts the files back to the byte.",
		Example: `pkg.mirror("https://mirrors.example.org", others = {` + "\n" +
			`    "https://download.docker.com": "https://mirrors.example.org/docker-ce",` + "\n})",
	}, func(c *runtime.Call, a mirrorArgs) (starlark.Value, error) {
		err := checkURI("uri", a.URI)
		for _, from := range slices.Sorted(maps.Keys(a.Others)) {
			err = errors.Join(err, checkURI("others", from), checkURI("others", a.Others[from]))
		}
		if err != nil {
			return nil, err
		}
		return c.Do(&mirroring{args: a, view: filesys.Read(c.Reader())})
	})
}

// mirroring is the change that pkg.mirror makes.
type mirroring struct {
	args mirrorArgs
	view *filesys.View

	files []filesys.NewFile
}

var _ runtime.Change = (*mirroring)(nil)

// Describe implements runtime.Change.
func (m *mirroring) Describe() runtime.Description {
	d := runtime.Description{Call: "pkg.mirror", Target: m.args.URI, Undo: runtime.Exact, UndoNote: "puts the sources back"}
	for _, uri := range append(slices.Sorted(maps.Values(m.args.Others)), m.args.URI) {
		if u, err := url.Parse(uri); err == nil {
			d.Needs = append(d.Needs, policy.Need{Kind: permissionKind, Target: "mirror:" + u.Hostname()})
		}
	}
	return d
}

// maxSource is how large a file of sources may be, in bytes.
const maxSource = 1 << 20

// Probe implements runtime.Change.
func (m *mirroring) Probe(ctx context.Context, _ *runtime.Reader) (runtime.Finding, error) {
	mgr, err := managerOf(m.view)
	if err != nil {
		return runtime.Finding{}, err
	}
	mirror := mirrorOf{base: strings.TrimSuffix(m.args.URI, "/"), others: m.args.Others}
	var diff string
	found := 0
	for _, pattern := range mgr.sources {
		paths, err := m.view.Glob(ctx, pattern)
		if err != nil {
			return runtime.Finding{}, err
		}
		for _, path := range paths {
			before, err := m.view.ReadFile(path, maxSource)
			if err != nil {
				return runtime.Finding{}, err
			}
			after, n := mirror.rewrite(path, string(before))
			found += n
			if after == string(before) {
				continue
			}
			info, err := m.view.Stat(path)
			if err != nil {
				return runtime.Finding{}, err
			}
			f := newFile(path, after)
			f.Mode = info.Mode
			m.files = append(m.files, f)
			diff += lineDiff(path, string(before), after)
		}
	}
	switch {
	case found == 0:
		return runtime.Finding{}, fmt.Errorf("no source of packages in %s is one of the distribution, so there is nothing that the mirror could stand for", strings.Join(mgr.sources, ", "))
	case len(m.files) == 0:
		return runtime.Finding{Summary: "packages are fetched from there", Value: m.value(false)}, nil
	}
	return runtime.Finding{Needed: true, Summary: "change " + strings.Join(m.paths(), ", "), Diff: diff}, needRoot()
}

func (m *mirroring) paths() []string {
	paths := make([]string, len(m.files))
	for i, f := range m.files {
		paths[i] = f.Path
	}
	return paths
}

// Undo implements runtime.Change.
func (m *mirroring) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	return filesys.KeepFiles(ctx, k, m.paths())
}

// Apply implements runtime.Change.
func (m *mirroring) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	if err := filesys.Writable(w).WriteFiles(ctx, m.files); err != nil {
		return runtime.Applied{}, err
	}
	after, err := filesys.LeftAt(m.paths()...)
	return runtime.Applied{Value: m.value(true), After: after}, err
}

// Predict implements runtime.Change.
func (m *mirroring) Predict(w *runtime.World) (starlark.Value, error) {
	return m.value(true), predictFiles(filesys.Predicted(w), m.files)
}

func (m *mirroring) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{"changed": starlark.Bool(changed), "files": stringList(m.paths())})
}

// lineDiff shows the lines of a file that differ.
func lineDiff(path, before, after string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "--- %s\n+++ %s\n", path, path)
	old, now := slices.Collect(strings.Lines(before)), slices.Collect(strings.Lines(after))
	for _, line := range old {
		if !slices.Contains(now, line) {
			b.WriteString("-" + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	for _, line := range now {
		if !slices.Contains(old, line) {
			b.WriteString("+" + strings.TrimSuffix(strings.ToValidUTF8(line, "�"), "\n") + "\n")
		}
	}
	return b.String()
}
