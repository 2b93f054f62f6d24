package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

func TestStateOf(t *testing.T) {
	for _, test := range []struct {
		beside map[string]string
		want   state
	}{
		{nil, quiet},
		{map[string]string{walSuffix: ""}, quiet},
		{map[string]string{shmSuffix: "x"}, quiet},
		{map[string]string{journalSuffix: ""}, quiet},
		{map[string]string{journalSuffix: "x"}, journaled},
		{map[string]string{walSuffix: "", shmSuffix: "x"}, live},
		{map[string]string{walSuffix: "x", shmSuffix: "x"}, live},
		{map[string]string{walSuffix: "x"}, abandoned},
		{map[string]string{walSuffix: "x", journalSuffix: "x"}, abandoned},
	} {
		path := filepath.Join(t.TempDir(), "app.db")
		for suffix, content := range test.beside {
			if err := os.WriteFile(path+suffix, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := stateOf(path); got != test.want || err != nil {
			t.Errorf("beside it %v: %v, %v, want %v", test.beside, got, err, test.want)
		}
	}
}

// A database that turns out to be opened while it is taken for unused is read once more, with its log. A journal that
// is begun does not matter.
func TestDatabaseThatIsOpenedMeanwhile(t *testing.T) {
	for _, test := range []struct {
		before, meanwhile string
		want              []int // rows that are seen, each time it is read
	}{
		{"closed, with a log when open", "open", []int{30, 31}},
		{"killed, and the index is gone", "open", []int{31, 32}},
		{"closed, with a journal when written", "journal-begin", []int{30}},
		{"with a journal that is kept", "journal-begin", []int{30}},
	} {
		path := filepath.Join(t.TempDir(), "app.db")
		situations[test.before](t, path)
		var rows []int
		err := (access{copiesBelow(t.TempDir()), time.Minute}).read(t.Context(), path, func(conn *sql.Conn) error {
			var n int
			err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n)
			if rows = append(rows, n); len(rows) == 1 {
				start(t, test.meanwhile, path)
			}
			return err
		})
		if err != nil || !slices.Equal(rows, test.want) {
			t.Errorf("%s, then %s: rows %v, %v, want %v", test.before, test.meanwhile, rows, err, test.want)
		}
	}
}

// Who has a log cannot take it away while it is read: the last to close the database leaves it.
func TestLogStaysWhileItIsRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	newDatabase(t, path, "wal", 30)
	user := start(t, "open", path)
	err := (access{copiesBelow(t.TempDir()), time.Minute}).read(t.Context(), path, func(conn *sql.Conn) error {
		user.stop(t)
		var n int
		err := conn.QueryRowContext(t.Context(), "SELECT count(*) FROM t").Scan(&n)
		if n != 31 {
			t.Errorf("there are %d rows, want 31", n)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := stateOf(path); got != live || err != nil {
		t.Errorf("it is left %v, %v, want its log and index", got, err)
	}
}

func TestWaitingForALockIsStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	newDatabase(t, path, "delete", 3)
	start(t, "journal-lock", path)
	stopped := errors.New("stopped by the test")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	err := (access{copiesBelow(t.TempDir()), time.Hour}).read(ctx, path, func(*sql.Conn) error { return nil })
	if !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
}

// A lock of this package outlives that something else in the process opens and closes the file, as a copy of its
// directory does.
func TestLockOutlivesOtherDescriptors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	newDatabase(t, path, "delete", 3)
	lock, err := lockForReading(t.Context(), path, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	defer lock.release()
	if _, err := os.ReadFile(path); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", dsn(path))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("INSERT INTO t VALUES ('late', 1, '')"); !isBusy(err) {
		t.Errorf("writing under the lock: %v, want that it is busy", err)
	}
}

func TestCheck(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "damaged.db"), "wal", 300)
	damage(t, filepath.Join(f.Dir, "damaged.db"))
	newDatabase(t, filepath.Join(f.Dir, "locked.db"), "delete", 3)
	start(t, "journal-lock", filepath.Join(f.Dir, "locked.db"))
	text := "a text, not a database"
	for name, content := range map[string]string{"text": text, "short": "SQLite", "header": magic, "empty": ""} {
		if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unchanged := watch(t, f.Dir)
	f.Preview(`
test.equal(sqlite.check(DIR + "/empty"), [])
for name in ["damaged.db", "text", "short", "header"]:
    problems = sqlite.check(DIR + "/" + name)
    if not problems or len(problems) > 25:
        fail("%s: %s" % (name, problems))
for name in ["text", "short"]:
    test.contains(sqlite.check(DIR + "/" + name)[0], "it is no SQLite database")
`).Want(events.NoChange)
	f.Preview(`sqlite.check(DIR + "/none")`).WantError("there is no database at", "none")
	f.Preview(`sqlite.check(DIR)`).WantError("is a dir, not a database")
	f.Preview(`sqlite.check(DIR + "/locked.db", timeout = 0)`).WantError("it stayed locked for 0s", testName+" (process")
	unchanged()
}

// Who writes to a database in this very process keeps his locks while it is read.
func TestReadingTakesNoLocksAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	newDatabase(t, path, "delete", 3)
	mine, err := openForWriting(path, "delete")
	if err != nil {
		t.Fatal(err)
	}
	defer mine.Close()
	if _, err := mine.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if err := (access{copiesBelow(t.TempDir()), time.Minute}).read(t.Context(), path, func(*sql.Conn) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if pid, err := lockedBy(path); pid == 0 || err != nil {
		t.Errorf("his lock is gone: %d, %v", pid, err)
	}
}
