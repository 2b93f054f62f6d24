package fs_test

import (
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// TestSideBySide makes branches that need the same missing directories.
func TestSideBySide(t *testing.T) {
	f := fixture(t)
	put(t, f.Dir+"/old", "old", 0o644)
	before := familytest.Tree(t, f.Dir)
	recipe := func(end string) string {
		return `
def branch(n):
    dir = DIR + "/shared/a/b%d" % n
    fs.mkdir(dir)
    fs.write(dir + "/file", "branch %d" % n)
    fs.write_all({dir + "/%d" % i: str(i) for i in range(5)})
    fs.remove(dir + "/1")

PERMISSIONS = {"fs.write": [DIR]}

def main(ctx):
    parallel([(branch, n) for n in range(8)], limit = 8)
    fs.write(DIR + "/old", "new")
` + end
	}
	for range 5 {
		f.Run(recipe(`    fail("no")`)).Want(events.RolledBack)
		familytest.SameTree(t, "after the failure", familytest.Tree(t, f.Dir), before)
	}
	preview := f.Preview(recipe("")).Want(events.WouldChange)
	run := f.Run(recipe("")).Want(events.Succeeded)
	// Which of the branches makes the directory above is not settled, so only what is changed is compared.
	would, did := preview.Changes(events.Would), run.Changes(events.Done)
	if len(would) != len(did) {
		t.Fatalf("the preview lists %d changes, the run made %d", len(would), len(did))
	}
	for i := range would {
		if would[i].Call != did[i].Call || would[i].Target != did[i].Target {
			t.Errorf("change %d: the preview said %s %s, the run did %s %s",
				i, would[i].Call, would[i].Target, did[i].Call, did[i].Target)
		}
	}
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}
