package archive_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestPreview(t *testing.T) {
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	must(t, os.Mkdir(filepath.Join(f.Dir, "there"), 0o700))
	f.Run(`archive.create(DIR + "/app", DIR + "/old.tar.zst")`).Want(events.Succeeded)
	before := familytest.Tree(t, f.Dir)
	r := f.Preview(`
archive.create(DIR + "/app", DIR + "/app.tar.zst")
test.equal(fs.exists(DIR + "/app.tar.zst.sha256"), True)
archive.extract(DIR + "/app.tar.zst", DIR + "/again")
test.equal(fs.is_dir(DIR + "/again"), True)
test.equal(archive.extract(DIR + "/old.tar.zst", DIR + "/there").files, 7)
`).Want(events.WouldChange)
	if got := r.Summaries(); len(got) != 3 || !strings.HasPrefix(got[0], "would archive.create: pack "+f.Dir+"/app, 7 files of 7.9 KiB") {
		t.Errorf("the preview lists %q", got)
	}
	f.Preview(`
archive.create(DIR + "/app", DIR + "/app.tar.zst")
archive.verify(DIR + "/app.tar.zst")
`).Want(events.Refused).WantError("is not known in a preview")
	f.Preview(`test.equal(archive.create(DIR + "/app", DIR + "/app.tar.zst").size, 1)`).Want(events.Refused).WantError("is not known in a preview")
	familytest.SameTree(t, "after previews", familytest.Tree(t, f.Dir), before)
}

func TestUndo(t *testing.T) {
	const recipe = `
archive.create(DIR + "/app", DIR + "/app.tar.zst", exclude = ["bin"])
archive.extract(DIR + "/old.tar.zst", DIR + "/absent")
archive.extract(DIR + "/old.tar.zst", DIR + "/empty")
archive.extract(DIR + "/file.tar.zst", DIR + "/file")
`
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	must(t, os.Mkdir(filepath.Join(f.Dir, "empty"), 0o711))
	f.Run(`
archive.create(DIR + "/app", DIR + "/old.tar.zst")
archive.create(DIR + "/app/app.conf", DIR + "/file.tar.zst")
`).Want(events.Succeeded)
	f.UndoTwice(recipe)
	if places := f.BreakEverywhere(recipe); places != 8 {
		t.Errorf("the recipe was broken at %d places, want before and after each of 4 changes", places)
	}
}

// TestInARollback unpacks as an action of a rollback, where nothing is kept to undo it with.
func TestInARollback(t *testing.T) {
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	must(t, os.Mkdir(filepath.Join(f.Dir, "empty"), 0o711))
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst")`).Want(events.Succeeded)
	f.Run(`
rollback.push(archive.extract, DIR + "/app.tar.zst", DIR + "/absent")
rollback.push(archive.extract, DIR + "/app.tar.zst", DIR + "/empty")
rollback.push(archive.create, DIR + "/app", DIR + "/again.tar.zst")
fail("no")
`).Want(events.RolledBack)
	for _, name := range []string{"absent", "empty"} {
		familytest.SameTree(t, name, familytest.Tree(t, filepath.Join(f.Dir, name)), familytest.Tree(t, filepath.Join(f.Dir, "app")))
	}
	if left, err := filepath.Glob(filepath.Join(f.Dir, ".infrarun-*")); err != nil || len(left) > 0 {
		t.Errorf("%q are left, %v", left, err)
	}
}

// damaging is a sink that damages an archive right before it is unpacked, when it has been found whole.
type damaging struct{ archive string }

// Handle implements [events.Sink].
func (d damaging) Handle(e events.Event) {
	if e.Kind == events.ChangeStarted && e.Change.Call == "archive.extract" {
		if err := os.Truncate(d.archive, 100); err != nil {
			panic(err)
		}
	}
}

// Close implements [events.Sink].
func (damaging) Close() error { return nil }

// TestFailedExtractionOwnsNothing unpacks in the place of an empty directory, fails, and goes on: the directory is not
// the run's own, to be removed for good.
func TestFailedExtractionOwnsNothing(t *testing.T) {
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	must(t, os.Mkdir(filepath.Join(f.Dir, "empty"), 0o711))
	before := familytest.Tree(t, f.Dir)
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst")`).Want(events.Succeeded)
	f.RunContext(t.Context(), `
test.equal(attempt(archive.extract, DIR + "/app.tar.zst", DIR + "/empty").ok, False)
fs.write(DIR + "/empty/f", "1")
fs.remove(DIR + "/empty")
fail("no")
`, damaging{filepath.Join(f.Dir, "app.tar.zst")}).Want(events.RolledBack)
	must(t, os.Remove(filepath.Join(f.Dir, "app.tar.zst")))
	must(t, os.Remove(filepath.Join(f.Dir, "app.tar.zst.sha256")))
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

func TestVerify(t *testing.T) {
	f := newFixture(t)
	makeTree(t, filepath.Join(f.Dir, "app"))
	f.Run(`archive.create(DIR + "/app", DIR + "/app.tar.zst")`).Want(events.Succeeded)
	path := filepath.Join(f.Dir, "app.tar.zst")
	whole, err := os.ReadFile(path)
	must(t, err)
	damaged := append([]byte{}, whole...)
	damaged[len(damaged)/2] ^= 1
	write(t, path, string(damaged), 0o600)
	f.Run(`
problems = archive.verify(DIR + "/app.tar.zst")
test.equal(len(problems), 2)
test.contains(problems[0], "damaged")
test.contains(problems[1], "app.tar.zst has another content than app.tar.zst.sha256 says")
`).Want(events.Succeeded)
	f.Run(`archive.extract(DIR + "/app.tar.zst", DIR + "/x")`).Want(events.Refused).WantError("damaged")
	f.Run(`archive.list(DIR + "/app.tar.zst")`).Want(events.Refused).WantError("damaged")
	write(t, path, string(whole[:len(whole)-100]), 0o600)
	f.Run(`test.equal(len(archive.verify(DIR + "/app.tar.zst")), 2)`).Want(events.Succeeded)
	write(t, path, string(whole), 0o600)
	write(t, path+".sha256", "nothing", 0o600)
	f.Run(`test.contains(archive.verify(DIR + "/app.tar.zst")[0], "is no list of sums")`).Want(events.Succeeded)
	must(t, os.Remove(path+".sha256"))
	f.Run(`test.equal(archive.verify(DIR + "/app.tar.zst"), [])`).Want(events.Succeeded)
}
