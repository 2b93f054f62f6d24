package fs_test

import (
	"context"
	"fmt"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/fs"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// opaqueFamily predicts what is not known.
func opaqueFamily() *runtime.Family {
	type args struct {
		Path string `arg:"path"`
		Tree bool   `arg:"tree" default:"false"`
	}
	return &runtime.Family{Name: "opaque", Builtins: []*runtime.Builtin{
		runtime.Define(runtime.Builtin{Name: "opaque.make"}, func(c *runtime.Call, a args) (starlark.Value, error) {
			return c.Do(&opaqueChange{a.Path, a.Tree})
		}),
	}}
}

type opaqueChange struct {
	path string
	tree bool
}

func (o *opaqueChange) Describe() runtime.Description {
	return runtime.Description{Call: "opaque.make"}
}

func (o *opaqueChange) Probe(context.Context, *runtime.Reader) (runtime.Finding, error) {
	return runtime.Finding{Needed: true}, nil
}

func (o *opaqueChange) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	return nil, nil
}

func (o *opaqueChange) Apply(context.Context, *runtime.Writer) (runtime.Applied, error) {
	return runtime.Applied{}, fmt.Errorf("this is only for a preview")
}

func (o *opaqueChange) Predict(w *runtime.World) (starlark.Value, error) {
	if o.tree {
		return nil, filesys.Predicted(w).OpaqueTree(o.path, "what a command makes")
	}
	return nil, filesys.Predicted(w).Opaque(o.path, "what a command makes")
}

func TestWhatAPreviewCannotKnow(t *testing.T) {
	for _, use := range []string{
		`fs.read(DIR + "/file")`, `fs.stat(DIR + "/file").size`, `fs.is_file(DIR + "/file")`, `fs.sha256(DIR + "/file")`,
		`fs.list(DIR + "/tree")`, `fs.exists(DIR + "/tree/x")`, `fs.size(DIR)`, `fs.glob(DIR + "/tree/*")`,
		`fs.stat(DIR + "/tree/x")`, `fs.read(DIR + "/tree/x", default = "none")`,
	} {
		f := familytest.New(t, fs.Family(), opaqueFamily())
		f.Preview("opaque.make(DIR + \"/file\")\nopaque.make(DIR + \"/tree\", tree = True)\n" + use).
			Want(events.Refused).WantError("is not known in a preview")
	}
	f := familytest.New(t, fs.Family(), opaqueFamily())
	put(t, f.Dir+"/src/a", "a", 0o644)
	r := f.Preview(`
opaque.make(DIR + "/file")
opaque.make(DIR + "/src/dist", tree = True)
test.equal(fs.exists(DIR + "/file"), True)
test.equal(fs.is_dir(DIR + "/src/dist"), True)
fs.write(DIR + "/src/dist/config.js", "x")
test.equal(fs.read(DIR + "/src/dist/config.js"), "x")
fs.mkdir(DIR + "/src/dist/more/sub")
fs.copy(DIR + "/file", DIR + "/copy")
fs.chmod(DIR + "/copy", "0755")
fs.copy_tree(DIR + "/src", DIR + "/dst")
test.equal(fs.read(DIR + "/dst/a"), "a")
fs.symlink("x", DIR + "/dst/dist/link")
fs.move(DIR + "/dst", DIR + "/moved")
fs.chmod(DIR + "/moved", "0700", recursive = True)
fs.remove(DIR + "/moved/dist/something")
fs.remove(DIR + "/moved")
test.equal(fs.exists(DIR + "/moved/dist/link"), False)
`).Want(events.WouldChange)
	if r.Outcome.Assumed == 0 {
		t.Error("nothing is said to be assumed")
	}
}
