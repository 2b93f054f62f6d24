package git

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestCheckoutRefuses(t *testing.T) {
	w, first, second := sample(t)
	write := func(name, content string) func(*testing.T, string) {
		return func(t *testing.T, dest string) {
			if err := os.WriteFile(filepath.Join(dest, name), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, test := range map[string]struct {
		spoil  func(t *testing.T, dest string)
		commit string
		want   string
	}{
		"other commit":    {commit: second, want: "holds the commit " + first[:7] + ", not " + second[:7]},
		"changed":         {spoil: write("README.md", "hullo\n"), want: "README.md has another content"},
		"longer":          {spoil: write("README.md", "hello, hello\n"), want: "README.md has 13 bytes, not 6"},
		"other release":   {spoil: write(releaseFile, "{}"), want: "is no commit"},
		"unreadable mark": {spoil: write(releaseFile, "["), want: releaseFile},
		"no release":      {spoil: remove(releaseFile), want: "was not made by git.checkout"},
		"missing":         {spoil: remove("scripts/run.sh"), want: "scripts/run.sh is missing"},
		"other link": {want: "the link deep/link leads to README.md", spoil: func(t *testing.T, dest string) {
			remove("deep/link")(t, dest)
			if err := os.Symlink("README.md", filepath.Join(dest, "deep/link")); err != nil {
				t.Fatal(err)
			}
		}},
		"not executable": {want: "scripts/run.sh is not executable", spoil: func(t *testing.T, dest string) {
			if err := os.Chmod(filepath.Join(dest, "scripts/run.sh"), 0o644); err != nil {
				t.Fatal(err)
			}
		}},
		"a file": {want: "is a file", spoil: func(t *testing.T, dest string) {
			if err := os.RemoveAll(dest); err != nil {
				t.Fatal(err)
			}
			write("", "")(t, dest)
		}},
		"unknown commit": {commit: "mian", want: "did you mean \"main\"?"},
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t, w)
			f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
			dest := filepath.Join(f.Dir, "release")
			if test.spoil != nil {
				test.spoil(t, dest)
			}
			if test.commit == "" {
				test.commit = first
			}
			before := tree(t, f.Dir)
			f.Preview(checkoutRecipe(w, test.commit)).Want(events.Refused).WantError(test.want)
			f.Run(checkoutRecipe(w, test.commit)).Want(events.Refused).WantError(test.want)
			wantTree(t, tree(t, f.Dir), before)
		})
	}
}

func remove(name string) func(*testing.T, string) {
	return func(t *testing.T, dest string) {
		if err := os.Remove(filepath.Join(dest, name)); err != nil {
			t.Fatal(err)
		}
	}
}

// Later steps may change modes and add files, and a copy that lost its times is still the same.
func TestCheckoutTolerates(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
	dest := filepath.Join(f.Dir, "release")
	if err := os.WriteFile(filepath.Join(dest, "built"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(dest, "README.md"), 0o750); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dest, "README.md"), []byte("hello\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f.Run(checkoutRecipe(w, first)).Want(events.Succeeded)
}

func TestCheckoutNeedsItsParent(t *testing.T) {
	w, first, _ := sample(t)
	f := fixture(t, w)
	f.Run(fmt.Sprintf(`git.checkout(%q, %q, DIR + "/a/b")`, w.dir, first)).Want(events.Refused).WantError("make it with fs.mkdir")
}

func TestCheckoutNeedsPermission(t *testing.T) {
	w, first, _ := sample(t)
	fixture(t, w).Run(fmt.Sprintf(`git.checkout(%q, %q, "/elsewhere")`, w.dir, first)).Want(events.DeniedRun).WantError("fs.write")
	fixture(t, nil).Run(checkoutRecipe(w, first)).Want(events.DeniedRun).WantError("fs.read", w.dir)
}
