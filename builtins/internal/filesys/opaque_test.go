package filesys

import (
	"context"
	"errors"
	"testing"

	"github.com/infrarun/infrarun/runtime"
)

func TestOpaque(t *testing.T) {
	v, o, dir := preview(t)
	must(t, o.Opaque(dir+"/binary", "the output of go build"))
	must(t, o.OpaqueTree(dir+"/dist", "the output of npm run build"))
	var unknown *runtime.UnknownError
	for what, err := range map[string]error{
		"read":            second(v.ReadFile(dir+"/binary", 10)),
		"list":            second(v.Names(dir + "/dist")),
		"stat below":      second(v.Stat(dir + "/dist/index.html")),
		"exists below":    second(v.Exists(dir + "/dist/js/app.js")),
		"below something": second(v.Exists(dir + "/binary/x")),
		"hash":            second(v.Hash(dir + "/dist/index.html")),
		"walk":            v.Walk(context.Background(), dir, func(Info) error { return nil }),
		"known":           Info{Path: "p", Opaque: "o"}.Known(),
	} {
		if !errors.As(err, &unknown) {
			t.Errorf("%s: %v, want that it is not known", what, err)
		}
	}
	if ok, err := v.Exists(dir + "/binary"); !ok || err != nil {
		t.Errorf("the binary exists: %v, %v", ok, err)
	}
	must(t, o.WriteFile(dir+"/dist/js/config.js", []byte("x"), 0o644, Keep, Keep))
	wantFile(t, v, dir+"/dist/js/config.js", "x")
	must(t, o.CopyTree(dir+"/dist", dir+"/copy"))
	wantFile(t, v, dir+"/copy/js/config.js", "x")
	if _, err := v.Stat(dir + "/copy/other"); !errors.As(err, &unknown) {
		t.Errorf("what else is in the copy: %v", err)
	}
	must(t, o.Remove(dir+"/dist"))
	if ok, err := v.Exists(dir + "/dist/js/config.js"); ok || err != nil {
		t.Errorf("after the removal: %v, %v", ok, err)
	}
}

func second[T any](_ T, err error) error { return err }
