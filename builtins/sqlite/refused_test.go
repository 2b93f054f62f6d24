package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestBackupErrors(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 30)
	newDatabase(t, filepath.Join(f.Dir, "damaged.db"), "wal", 300)
	damage(t, filepath.Join(f.Dir, "damaged.db"))
	newDatabase(t, filepath.Join(f.Dir, "locked.db"), "delete", 3)
	start(t, "journal-lock", filepath.Join(f.Dir, "locked.db"))
	for name, content := range map[string]string{"there.db": "", "stale.db-wal": "x", "text": "a text, not a database"} {
		if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	before := familytest.Tree(t, f.Dir)
	for _, test := range []struct {
		src, dst string
		want     []string
	}{
		{"app.db", "there.db", []string{"there already", "fs.remove"}},
		{"app.db", "app.db", []string{"there already"}},
		{"app.db", "stale.db", []string{"stale.db-wal is left from another database"}},
		{"app.db", "none/copy.db", []string{"none does not exist", "fs.mkdir"}},
		{"app.db", "text/copy.db", []string{"text is no directory"}},
		{"none.db", "copy.db", []string{"there is no database at", "none.db"}},
		{".", "copy.db", []string{"is a dir, not a database"}},
		{"text", "copy.db", []string{"text: it is no SQLite database"}},
		{"damaged.db", "copy.db", []string{"the database itself is damaged", "sqlite.check"}},
		{"locked.db", "copy.db", []string{"locked.db: it stayed locked for 50ms", testName + " (process", "longer timeout"}},
	} {
		r := f.Run(fmt.Sprintf(`sqlite.backup(DIR + "/%s", DIR + "/%s", timeout = 0.05)`, test.src, test.dst))
		if r.Outcome.Error == "" {
			t.Errorf("backup(%q, %q): no error", test.src, test.dst)
			continue
		}
		r.WantError(test.want...)
		familytest.SameTree(t, test.src+" to "+test.dst, familytest.Tree(t, f.Dir), before)
	}
}

// damage overwrites pages in the middle of a database.
func damage(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for page := int64(5); page < 20; page++ {
		if _, err := f.WriteAt([]byte("this is no page of a database"), page*4096); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPermissions(t *testing.T) {
	f := newFixture(t)
	elsewhere := t.TempDir()
	newDatabase(t, filepath.Join(elsewhere, "app.db"), "wal", 3)
	newDatabase(t, filepath.Join(f.Dir, "app.db"), "wal", 3)
	for _, recipe := range []string{
		fmt.Sprintf(`sqlite.backup(%q, DIR + "/copy.db")`, elsewhere+"/app.db"),
		fmt.Sprintf(`sqlite.backup(DIR + "/app.db", %q)`, elsewhere+"/copy.db"),
		fmt.Sprintf(`sqlite.check(%q)`, elsewhere+"/app.db"),
		fmt.Sprintf(`sqlite.restore(%q, DIR + "/app.db")`, elsewhere+"/app.db"),
		fmt.Sprintf(`sqlite.restore(DIR + "/app.db", %q)`, elsewhere+"/app.db"),
	} {
		if got := f.Run(recipe).Outcome; got.Result != events.DeniedRun {
			t.Errorf("%s: %s %s", recipe, got.Result, got.Error)
		}
	}
	f.Grant("fs.read", elsewhere)
	f.Run(fmt.Sprintf(`sqlite.backup(%q, DIR + "/copy.db")`, elsewhere+"/app.db")).Want(events.Succeeded)
}
