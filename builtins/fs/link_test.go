package fs_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// A link that is removed or moved is reached itself: what it leads to needs no permission and stays as it is.
func TestLinksThatLeadOut(t *testing.T) {
	for name, recipe := range map[string]string{
		"remove": `fs.remove(DIR + "/out")`,
		"move":   `fs.move(DIR + "/out", DIR + "/moved")`,
		"file":   `fs.remove(DIR + "/file")`,
		"temp": `
tmp = fs.temp_dir()
fs.move(DIR + "/out", tmp + "/out")
fs.remove(tmp + "/out")
`,
		"predicted": `
fs.mkdir(DIR + "/d")
fs.move(DIR + "/out", DIR + "/d/out")
fs.symlink("d", DIR + "/e")
fs.remove(DIR + "/e/out")
`,
	} {
		t.Run(name, func(t *testing.T) {
			f := fixture(t)
			outside := t.TempDir()
			put(t, outside+"/precious", "x", 0o600)
			link(t, outside, f.Dir+"/out")
			link(t, outside+"/precious", f.Dir+"/file")
			before := familytest.Tree(t, outside)
			f.Preview(recipe).Want(events.WouldChange)
			if name != "predicted" { // the check for drift knows the path by one name only
				f.UndoTwice(recipe)
			}
			f.Run(recipe).Want(events.Succeeded)
			if name != "file" {
				if _, err := os.Lstat(filepath.Join(f.Dir, "out")); !os.IsNotExist(err) {
					t.Errorf("the link is still there: %v", err)
				}
			}
			familytest.SameTree(t, "what the link leads to", familytest.Tree(t, outside), before)
		})
	}
}

// The way to a link must not lead out: what lies behind one is not the recipe's.
func TestBehindLinksThatLeadOut(t *testing.T) {
	f := fixture(t)
	outside := t.TempDir()
	put(t, outside+"/precious", "x", 0o600)
	link(t, "precious", outside+"/link")
	link(t, outside, f.Dir+"/out")
	for _, recipe := range []string{
		`fs.remove(DIR + "/out/precious")`,
		`fs.remove(DIR + "/out/link")`,
		`fs.move(DIR + "/out/link", DIR + "/link")`,
		`fs.move(DIR + "/out", DIR + "/out/in")`,
		"fs.symlink(" + `"` + outside + `"` + ", DIR + \"/other\")\nfs.remove(DIR + \"/other/link\")",
	} {
		f.Preview(recipe).Want(events.DeniedRun)
		if r := f.Run(recipe); r.Outcome.Result != events.DeniedRun && r.Outcome.Result != events.RolledBack {
			t.Errorf("%s ended %s", recipe, r.Outcome.Result)
		}
	}
	if got := content(t, outside+"/precious"); got != "x" {
		t.Errorf("it is %q now", got)
	}
}
