package sqlite

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/events"
)

// sink calls a function for each event.
type sink func(events.Event)

func (s sink) Handle(e events.Event) { s(e) }
func (s sink) Close() error          { return nil }

// ended is the count of one who writes no more.
const ended = -1

// waitFor waits until another row is committed.
func waitFor(t *testing.T, n *atomic.Int64) {
	for was := n.Load(); n.Load() == was && was != ended; {
		if err := pause(t.Context()); err != nil {
			return
		}
	}
}

// While two others write, one of them in another process, the copy is one state of the database, with all that was
// committed before it began.
func TestBackupWhileOthersWrite(t *testing.T) {
	for _, mode := range []string{"wal", "delete"} {
		t.Run(mode, func(t *testing.T) {
			f := newFixture(t)
			path := filepath.Join(f.Dir, "app.db")
			newDatabase(t, path, mode, 12_000) // three times as many pages as are copied at once
			job := map[string]string{"wal": "write", "delete": "journal-write"}[mode]
			other := start(t, job, path).counted()
			mine := writeBeside(t, path, mode)
			waitFor(t, other)
			waitFor(t, mine)
			wantOther, wantMine := other.Load(), mine.Load()
			steps := 0
			ctx, cancel := context.WithCancelCause(t.Context())
			r := f.RunContext(ctx, `sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`, sink(func(e events.Event) {
				if e.Kind != events.Progress {
					return
				}
				if steps++; steps > 20 {
					cancel(errors.New("the copy begins again whenever somebody writes"))
				}
				if mode == "wal" { // otherwise those who write wait for the copy
					waitFor(t, other)
					waitFor(t, mine)
				}
			}))
			r.Want(events.Succeeded)
			if steps < 3 {
				t.Errorf("the copy was made in %d steps: nobody could write meanwhile", steps)
			}
			copied := filepath.Join(f.Dir, "copy.db")
			whole(t, copied)
			for who, want := range map[string]int64{"process": wantOther, "goroutine": wantMine} {
				if n, highest := count(t, copied, who); n < want || n != highest {
					t.Errorf("the copy has %d rows of the %s up to %d, want at least %d without a gap", n, who, highest, want)
				}
			}
			// They are not held up for good.
			waitFor(t, other)
			waitFor(t, mine)
		})
	}
}

// writeBeside writes rows in this process until the test ends.
func writeBeside(t *testing.T, path, mode string) *atomic.Int64 {
	db, err := openForWriting(path, mode)
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		err := writeRows(db, "goroutine", done, n.Store)
		if err != nil {
			t.Errorf("writing in this process: %v", err)
			n.Store(ended)
		}
		close(over)
	}()
	t.Cleanup(func() {
		close(done)
		<-over
		db.Close()
	})
	return &n
}

func TestBackupIsPrivateAndAlone(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 3000)
	r := f.Run(`sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`).Want(events.Succeeded)
	info, err := os.Stat(filepath.Join(f.Dir, "copy.db"))
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the copy is %v, %v, want mode 0600", info, err)
	}
	entries, err := os.ReadDir(f.Dir)
	if err != nil || len(entries) != 2 {
		t.Errorf("beside the database and its copy there are: %v, %v", entries, err)
	}
	var last events.Bar
	for _, e := range r.Events(events.Progress) {
		last = *e.Progress
	}
	if !last.Done || last.Current != last.Total || last.Total == 0 || last.Unit != "pages" {
		t.Errorf("the last that was told of its progress is %+v", last)
	}
}

func TestBackupOfAnEmptyDatabase(t *testing.T) {
	f := newFixture(t)
	if err := os.WriteFile(filepath.Join(f.Dir, "app.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	f.Run(`
test.equal(sqlite.backup(DIR + "/app.db", DIR + "/copy.db").pages, 0)
test.equal(sqlite.check(DIR + "/copy.db"), [])`).Want(events.Succeeded)
}

func TestUndoOfBackup(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 30)
	const recipe = `sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`
	f.UndoTwice(recipe)
	if n := f.BreakEverywhere(recipe); n != 2 {
		t.Errorf("broken at %d places, want before and after the change", n)
	}
}

// What a backup that was killed has left goes with its undo.
func TestUndoTakesTheDraftAway(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 30)
	before := familytest.Tree(t, f.Dir)
	f.Run(`sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`).Want(events.Succeeded)
	runs, err := f.State.Runs()
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(f.Dir, "copy.db")
	if err := os.Rename(copied, filesys.Beside(runs[0].Run.ID, copied, copyPurpose)); err != nil {
		t.Fatal(err)
	}
	f.ForceRollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

// A recipe may go on after a backup that failed.
func TestFailedBackupLeavesNothing(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "damaged.db"), "wal", 300)
	damage(t, filepath.Join(f.Dir, "damaged.db"))
	before := familytest.Tree(t, f.Dir)
	f.Run(`test.equal(attempt(sqlite.backup, DIR + "/damaged.db", DIR + "/copy.db").ok, False)`).Want(events.Succeeded)
	familytest.SameTree(t, "after it failed", familytest.Tree(t, f.Dir), before)
}

func TestBackupIsStopped(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 12_000)
	before := familytest.Tree(t, f.Dir)
	ctx, cancel := context.WithCancelCause(t.Context())
	f.RunContext(ctx, `sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`, sink(func(e events.Event) {
		if e.Kind == events.Progress {
			cancel(fmt.Errorf("stopped by the test"))
		}
	})).WantError("stopped by the test")
	familytest.SameTree(t, "after it was stopped", familytest.Tree(t, f.Dir), before)
}

func TestBackupsSideBySide(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(f.Dir, "app.db")
	newDatabase(t, path, "wal", 3000)
	start(t, "open", path)
	f.Run(`
def copy(n):
    sqlite.backup(DIR + "/app.db", DIR + "/copy%d.db" % n)
    return sqlite.check(DIR + "/app.db")

def main(ctx):
    parallel([lambda: copy(1), lambda: copy(2), lambda: copy(3)])

PERMISSIONS = {"fs.write": [DIR]}
`).Want(events.Succeeded)
	for n := 1; n <= 3; n++ {
		whole(t, fmt.Sprintf("%s/copy%d.db", f.Dir, n))
	}
}

func TestPreviewOfBackup(t *testing.T) {
	f := newFixture(t)
	path := filepath.Join(f.Dir, "app.db")
	newDatabase(t, path, "wal", 3000)
	start(t, "open", path)
	unchanged := watch(t, f.Dir)
	r := f.Preview(`sqlite.backup(DIR + "/app.db", DIR + "/copy.db")`).Want(events.WouldChange)
	unchanged()
	if got := r.Changes(); len(got) != 1 || got[0].Undo != "exact" || got[0].Status != events.Would {
		t.Errorf("the preview shows %+v", got)
	}
	const again = `sqlite.backup(DIR + "/app.db", DIR + "/copy.db")` + "\n"
	f.Preview(again + again).WantError("there already")
	f.Preview(again+`sqlite.check(DIR + "/copy.db")`).WantError("the backup of", "not known in a preview")
	f.Preview(`sqlite.backup(DIR + "/app.db", DIR + "/copy.db").size`).WantError("not known in a preview")
	f.Preview(again + `sqlite.backup(DIR + "/copy.db", DIR + "/second.db")`).Want(events.WouldChange)
	unchanged()
}
