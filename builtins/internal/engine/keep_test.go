package engine

import (
	"context"
	"net/http"
	"path/filepath"
	"testing"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// keeping is a change that keeps the image of a name, and changes nothing.
type keeping struct{ ref string }

func (keeping) Describe() runtime.Description {
	return runtime.Description{Call: "keeping.keep", Undo: runtime.Exact}
}

func (keeping) Probe(context.Context, *runtime.Reader) (runtime.Finding, error) {
	return runtime.Finding{Needed: true}, nil
}

func (c keeping) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	refs, err := KeepRefs(ctx, k, c.ref)
	return &runtime.Undo{Kind: "refs", Args: refs}, err
}

func (keeping) Apply(context.Context, *runtime.Writer) (runtime.Applied, error) {
	return runtime.Applied{}, nil
}

func (keeping) Predict(*runtime.World) (starlark.Value, error) { return starlark.None, nil }

type keepArgs struct {
	Ref string `arg:"ref" doc:"the name"`
}

// keeper is a fixture whose recipes can keep an image: keeping.keep("app:1").
func keeper(t *testing.T) *familytest.Fixture {
	return familytest.New(t, &runtime.Family{
		Name: "keeping", Doc: "Keeping.", Undoers: map[string]runtime.Undoer{"refs": UndoOfRefs()},
		Builtins: []*runtime.Builtin{runtime.Define(runtime.Builtin{Name: "keeping.keep", Doc: "Keeps.", Undo: runtime.Exact},
			func(c *runtime.Call, a keepArgs) (starlark.Value, error) { return c.Do(keeping{a.Ref}) })},
	})
}

// imageEngine is an engine that has the image app:1, of a size, and saves it so.
func imageEngine(t *testing.T, size int64, save http.HandlerFunc) {
	fakeEngine(t, map[string]http.HandlerFunc{
		"GET /containers/json":    says(`[]`),
		"GET /images/{name}/json": says(`{"Id":"sha256:1","Size":%d}`, size),
		"GET /images/get":         save,
	})
}

// An image that cannot be kept whole refuses the change, and takes no room.
func TestImageThatCannotBeKept(t *testing.T) {
	whole := archiveOf(t, "1.json", "{}", "manifest.json", `[{"Config":"1.json"}]`)
	sends := func(archive []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(archive) }
	}
	for name, c := range map[string]struct {
		size int64
		save http.HandlerFunc
		want string
	}{
		"whole": {1, sends(whole), ""},
		"no room": {1 << 60, func(http.ResponseWriter, *http.Request) {
			t.Error("the engine was asked for more than there is room for")
		}, "there is not enough room"},
		"fails":     {1, sends([]byte(`{"errorDetail":{"message":"layer not found"}}`)), "the Docker engine said: layer not found"},
		"goes away": {1, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(whole); panic(http.ErrAbortHandler) }, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			imageEngine(t, c.size, c.save)
			f := keeper(t)
			r := f.Run(`keeping.keep("app:1")`)
			kept, err := filepath.Glob(filepath.Join(f.State.Dir(), "runs/*/blobs/*"))
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "" {
				r.Want(events.Succeeded)
				if len(kept) != 1 {
					t.Errorf("kept are %v", kept)
				}
				return
			}
			r.Want(events.Refused).WantError("save image sha256:1, which a rollback needs: ").WantError(c.want)
			if len(kept) > 0 {
				t.Errorf("%v are left", kept)
			}
		})
	}
}

// One image is saved once in a run, however many changes need it, also side by side.
func TestImageIsSavedOnce(t *testing.T) {
	saved := 0
	archive := archiveOf(t, "1.json", "{}", "manifest.json", `[{"Config":"1.json"}]`)
	imageEngine(t, 1, func(w http.ResponseWriter, _ *http.Request) { saved++; _, _ = w.Write(archive) })
	keeper(t).Run(`parallel([(keeping.keep, "app:1"), (keeping.keep, "app:2"), (keeping.keep, "app:3")], limit = 3)`).Want(events.Succeeded)
	if saved != 1 {
		t.Errorf("it was saved %d times", saved)
	}
}
