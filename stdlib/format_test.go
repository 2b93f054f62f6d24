package stdlib_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
	"github.com/google/go-cmp/cmp"
)

// TestFormat checks that all Starlark that operators read is formatted as buildifier formats it.
// go test ./stdlib -run TestFormat -update formats it.
func TestFormat(t *testing.T) {
	checked := 0
	for _, dir := range []string{".", "../recipes", casesDir, "../testdata/hostile"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(name, ".star") {
				return err
			}
			checked++
			return checkFormat(t, name)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if checked < 20 {
		t.Errorf("only %d files were found", checked)
	}
}

func checkFormat(t *testing.T, name string) error {
	t.Helper()
	source, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	f, err := build.ParseDefault(name, source)
	if err != nil {
		return err
	}
	formatted := build.Format(f)
	if *update {
		return os.WriteFile(name, formatted, 0o644)
	}
	if diff := cmp.Diff(string(source), string(formatted)); diff != "" {
		t.Errorf("%s is not formatted: go test ./stdlib -run TestFormat -update (-is +should be):\n%s", name, diff)
	}
	return nil
}
