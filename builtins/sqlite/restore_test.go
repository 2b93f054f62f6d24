package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

const restoreRecipe = `sqlite.restore(DIR + "/backup.db", DIR + "/app.db")`

// withBackup makes a fixture with a backup of 50 rows.
func withBackup(t *testing.T) (f *familytest.Fixture, path string) {
	f = newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "backup.db"), "wal", 50)
	return f, filepath.Join(f.Dir, "app.db")
}

// Whatever the old database was left in, the new one is the backup, and undoing puts back every file.
func TestRestore(t *testing.T) {
	for name, make := range situations {
		if name == "open" {
			continue // refused
		}
		t.Run(name, func(t *testing.T) {
			f, path := withBackup(t)
			make(t, path)
			if err := os.Chmod(path, 0o640); err != nil {
				t.Fatal(err)
			}
			f.UndoTwice(restoreRecipe)
			if n := f.BreakEverywhere(restoreRecipe); n != 2 {
				t.Errorf("broken at %d places, want before and after the change", n)
			}
			f.Run("r = " + restoreRecipe + "\ntest.equal(r.changed, True)\ntest.equal(r.path, DIR + \"/app.db\")").Want(events.Succeeded)
			for _, p := range sideFiles(path) {
				if _, err := os.Lstat(p); !os.IsNotExist(err) {
					t.Errorf("%s is still there: %v", p, err)
				}
			}
			if info, err := os.Stat(path); err != nil || info.Mode() != 0o640 {
				t.Errorf("the database is %v, %v, want mode 0640", info, err)
			}
			whole(t, path)
			if n, _ := count(t, path, "first"); n != 50 {
				t.Errorf("the database has %d rows, want the 50 of the backup", n)
			}
			f.Run("test.equal(" + restoreRecipe + ".changed, False)").Want(events.Succeeded)
			f.Preview(restoreRecipe).Want(events.NoChange)
		})
	}
}

func TestRestoreWhereNothingWas(t *testing.T) {
	f, path := withBackup(t)
	f.UndoTwice(restoreRecipe)
	f.Run(restoreRecipe).Want(events.Succeeded)
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("the database is %v, %v, want mode 0600", info, err)
	}
}

// What was written to the new database is lost by undoing, so that is not done without a word.
func TestUndoOfRestoreAfterWriting(t *testing.T) {
	f, path := withBackup(t)
	newDatabase(t, path, "wal", 30)
	before := familytest.Tree(t, f.Dir)
	f.Run(restoreRecipe).Want(events.Succeeded)
	start(t, "open", path).kill()
	f.Rollback().Want(events.Refused).WantError("has changed since", "app.db-wal: is there again")
	f.ForceRollback().Want(events.Restored)
	familytest.SameTree(t, "after the rollback", familytest.Tree(t, f.Dir), before)
}

func TestRestoreIsRefusedWhileTheDatabaseIsOpen(t *testing.T) {
	f, path := withBackup(t)
	newDatabase(t, path, "wal", 30)
	user := start(t, "open", path)
	unchanged := watch(t, f.Dir)
	f.Run(restoreRecipe).Want(events.Refused).
		WantError("app.db is open in "+testName, fmt.Sprintf("(process %d)", user.cmd.Process.Pid), "stop what uses the database")
	unchanged()
	// In a preview the service is not stopped, so that it is by then is taken for granted.
	r := f.Preview(restoreRecipe).Want(events.WouldChange)
	if got := r.Changes()[0].Assumed; got == "" || r.Outcome.Assumed != 1 {
		t.Errorf("the preview assumes %q, %d in all", got, r.Outcome.Assumed)
	}
	unchanged()
	user.stop(t)
	f.Run(restoreRecipe).Want(events.Succeeded)
}

// A user without a descriptor that can be seen, as one of another user's processes is, is found by its lock.
func TestUsersAreFoundByTheirLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	newDatabase(t, path, "wal", 3)
	if users := usersOf(path); len(users) > 0 {
		t.Errorf("a closed database is open in %v", users)
	}
	user := start(t, "open", path)
	if pid, err := lockedBy(path); pid != user.cmd.Process.Pid || err != nil {
		t.Errorf("lockedBy = %d, %v, want %d", pid, err, user.cmd.Process.Pid)
	}
	if users := usersOf(path); len(users) != 1 || users[0].pid != user.cmd.Process.Pid || users[0].name != testName {
		t.Errorf("usersOf = %v, want only process %d", users, user.cmd.Process.Pid)
	}
	user.stop(t)
	if users := usersOf(path); len(users) > 0 {
		t.Errorf("a closed database is open in %v", users)
	}
}

func TestRestoreErrors(t *testing.T) {
	f, path := withBackup(t)
	newDatabase(t, path, "wal", 30)
	newDatabase(t, filepath.Join(f.Dir, "damaged.db"), "wal", 300)
	damage(t, filepath.Join(f.Dir, "damaged.db"))
	newDatabase(t, filepath.Join(f.Dir, "used.db"), "wal", 3)
	start(t, "open", filepath.Join(f.Dir, "used.db"))
	if err := os.WriteFile(filepath.Join(f.Dir, "text"), []byte("a text, not a database"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("app.db", filepath.Join(f.Dir, "link.db")); err != nil {
		t.Fatal(err)
	}
	unchanged := watch(t, f.Dir)
	for _, test := range []struct {
		src, dst string
		want     []string
	}{
		{"none.db", "app.db", []string{"there is no database at", "none.db"}},
		{"damaged.db", "app.db", []string{"damaged.db is damaged, and is not restored"}},
		{"text", "app.db", []string{"text is damaged", "it is no SQLite database"}},
		{"used.db", "app.db", []string{"used.db is in use", "sqlite.backup"}},
		{"backup.db", "link.db", []string{"is a link to app.db; name the database itself"}},
		{"backup.db", ".", []string{"is a dir, not a database"}},
		{"backup.db", "none/app.db", []string{"fs.mkdir"}},
	} {
		recipe := fmt.Sprintf(`sqlite.restore(DIR + "/%s", DIR + "/%s")`, test.src, test.dst)
		f.Run(recipe).Want(events.Refused).WantError(test.want...)
		f.Preview(recipe).Want(events.Refused).WantError(test.want...)
		unchanged()
	}
}

func TestPreviewOfRestore(t *testing.T) {
	f, path := withBackup(t)
	newDatabase(t, path, "wal", 30)
	start(t, "open", path).kill()
	unchanged := watch(t, f.Dir)
	// What is predicted can be checked, restored once more, and backed up.
	f.Preview(restoreRecipe + `
test.equal(sqlite.check(DIR + "/app.db"), [])
sqlite.restore(DIR + "/app.db", DIR + "/second.db")
sqlite.backup(DIR + "/second.db", DIR + "/copy.db")
sqlite.restore(DIR + "/copy.db", DIR + "/app.db")
`).Want(events.WouldChange)
	f.Preview(restoreRecipe + `
test.equal(` + restoreRecipe + `.changed, False)`).Want(events.WouldChange)
	unchanged()
}
