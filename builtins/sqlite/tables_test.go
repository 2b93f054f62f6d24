package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// execute has statements carried out on a database that need not exist.
func execute(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := openForWriting(path, "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

func TestTables(t *testing.T) {
	f := newFixture(t)
	execute(t, filepath.Join(f.Dir, "app.db"),
		"CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT)",
		"INSERT INTO users (name) VALUES ('a'), ('b'), ('c')",
		`CREATE TABLE "odd ""name; DROP TABLE users" (x)`,
		`INSERT INTO "odd ""name; DROP TABLE users" VALUES (1)`,
		"CREATE TABLE empty (x INTEGER PRIMARY KEY) STRICT, WITHOUT ROWID",
		"CREATE VIEW names AS SELECT name FROM users",
		"CREATE VIRTUAL TABLE words USING fts5(text)",
		"INSERT INTO words VALUES ('x')",
		"ANALYZE", // makes a table of SQLite's own
		// A virtual table of a program that is not here.
		"PRAGMA writable_schema = on",
		"INSERT INTO sqlite_schema VALUES ('table', 'foreign', 'foreign', 0, 'CREATE VIRTUAL TABLE \"foreign\" USING nosuch(x)')",
	)
	if err := os.WriteFile(filepath.Join(f.Dir, "nothing.db"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	unchanged := watch(t, f.Dir)
	f.Preview(`
tables = sqlite.tables(DIR + "/app.db")
test.equal(tables, {"empty": 0, "odd \"name; DROP TABLE users": 1, "users": 3})
test.equal(tables.keys(), sorted(tables.keys()))
test.equal(sqlite.tables(DIR + "/nothing.db"), {})
`).Want(events.NoChange)
	unchanged()
}

func TestTablesOfDatabasesAsTheyAreFound(t *testing.T) {
	for name, make := range situations {
		f := newFixture(t)
		data := filepath.Join(f.Dir, "data")
		if err := os.Mkdir(data, 0o755); err != nil {
			t.Fatal(err)
		}
		rows := make(t, filepath.Join(data, "app.db"))
		unchanged := watch(t, data)
		r := f.Preview(fmt.Sprintf(`test.equal(sqlite.tables(DIR + "/data/app.db"), {"t": %d})`, rows))
		if r.Outcome.Error != "" {
			t.Errorf("%s: %s", name, r.Outcome.Error)
		}
		unchanged()
	}
}

// Each transaction of the writer puts a row into both tables: nobody may ever see one more in one of them.
func TestTablesAreOfOneMoment(t *testing.T) {
	path := filepath.Join(t.TempDir(), "app.db")
	execute(t, path, "CREATE TABLE a (x)", "CREATE TABLE b (x)")
	db, err := openForWriting(path, "wal")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	begun, stop, written := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			if n == 1 {
				close(begun)
			}
			select {
			case <-stop:
				written <- nil
				return
			default:
			}
			if _, err := db.Exec("BEGIN; INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); COMMIT"); err != nil {
				written <- err
				return
			}
		}
	}()
	select {
	case <-begun:
	case err := <-written:
		t.Fatal(err)
	}
	for range 100 {
		var tables []table
		err := (access{copiesBelow(t.TempDir()), time.Minute}).read(t.Context(), path, func(conn *sql.Conn) (err error) {
			tables, err = countTables(t.Context(), conn)
			return err
		})
		if err != nil || len(tables) != 2 || tables[0].rows != tables[1].rows {
			t.Errorf("counted %v, %v", tables, err)
			break
		}
	}
	close(stop)
	if err := <-written; err != nil {
		t.Error(err)
	}
}

func TestTablesErrors(t *testing.T) {
	f := newFixture(t)
	newDatabase(t, filepath.Join(f.Dir, "damaged.db"), "wal", 300)
	if err := os.Truncate(filepath.Join(f.Dir, "damaged.db"), 3*4096); err != nil {
		t.Fatal(err)
	}
	newDatabase(t, filepath.Join(f.Dir, "locked.db"), "delete", 3)
	start(t, "journal-lock", filepath.Join(f.Dir, "locked.db"))
	for name, content := range map[string]string{"text": "a text, not a database", "header": magic} {
		if err := os.WriteFile(filepath.Join(f.Dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	unchanged := watch(t, f.Dir)
	for name, want := range map[string]string{
		"none":       "there is no database at",
		".":          "is a dir, not a database",
		"text":       "text: it is no SQLite database",
		"header":     "header: file is not a database",
		"damaged.db": "damaged.db: database disk image is malformed",
		"locked.db":  "it stayed locked for 0s",
	} {
		f.Preview(fmt.Sprintf(`sqlite.tables(DIR + "/%s", timeout = 0)`, name)).WantError(want)
	}
	f.Preview(`sqlite.tables(DIR + "/damaged.db")`).WantError("the database is damaged, see sqlite.check", "sqlite.restore", "damaged.db")
	f.Preview(`sqlite.tables("/etc/passwd")`).Want(events.DeniedRun)
	unchanged()
}
