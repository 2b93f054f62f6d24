package builtins

import (
	"flag"
	"os"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/infrarun/infrarun/builtins/reference"
	"github.com/infrarun/infrarun/runtime"
)

var update = flag.Bool("update", false, "write README.md anew")

func families(t *testing.T) []*runtime.Family {
	t.Helper()
	h, err := runtime.NewHost("test", All(), fstest.MapFS{}, fstest.MapFS{})
	if err != nil {
		t.Fatal(err)
	}
	return h.Families()
}

func TestReferenceIsCurrent(t *testing.T) {
	want := reference.Markdown(families(t))
	if *update {
		if err := os.WriteFile("README.md", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("README.md is not what the declarations say; `make reference` writes it anew (-declared +README.md):\n%s", diff)
	}
}

func TestEverythingIsDocumented(t *testing.T) {
	for _, what := range reference.Undocumented(families(t)) {
		t.Errorf("%s is not documented", what)
	}
}
