package sqlite

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// watch returns a function that fails the test if anything was made, written, renamed or removed in a directory since, be
// it for a moment only, or has another owner, mode or time of change now.
func watch(t *testing.T, dir string) (unchanged func()) {
	t.Helper()
	before := familytest.Tree(t, dir)
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	const changes = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_DELETE | unix.IN_MOVE
	if _, err := unix.InotifyAddWatch(fd, dir, changes); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		buf := make([]byte, 64<<10)
		n, _ := unix.Read(fd, buf)
		for at := 0; at < n; {
			event := (*unix.InotifyEvent)(unsafe.Pointer(&buf[at]))
			at += unix.SizeofInotifyEvent
			name := strings.TrimRight(string(buf[at:at+int(event.Len)]), "\x00")
			at += int(event.Len)
			t.Errorf("%s was touched (%#x)", filepath.Join(dir, name), event.Mask)
		}
		familytest.SameTree(t, dir, familytest.Tree(t, dir), before)
	}
}

// situations are the states in which a database may be found. Each makes one, and says how many rows it has.
var situations = map[string]func(t *testing.T, path string) (rows int64){
	"closed, with a log when open": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "wal", 30)
		return 30
	},
	"closed, with a journal when written": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "delete", 30)
		return 30
	},
	"with a journal that is kept": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "persist", 30)
		return 30
	},
	"open": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "wal", 30)
		start(t, "open", path)
		return 31
	},
	"killed": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "wal", 30)
		start(t, "open", path).kill()
		return 31
	},
	"killed, and the index is gone": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "wal", 30)
		start(t, "open", path).kill()
		if err := os.Remove(path + shmSuffix); err != nil {
			t.Fatal(err)
		}
		return 31
	},
	"killed while pages were written": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "delete", 300)
		start(t, "journal-spill", path).kill()
		return 300
	},
	"empty log, no index": func(t *testing.T, path string) int64 {
		newDatabase(t, path, "wal", 30)
		if err := os.WriteFile(path+walSuffix, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return 30
	},
}

// Whatever a database is found in, a check in a preview and a backup leave no trace beside it, and see what was
// committed.
func TestReadingLeavesNoTrace(t *testing.T) {
	for name, make := range situations {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			data := filepath.Join(f.Dir, "data")
			if err := os.Mkdir(data, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(data, "a b?c#d%41.db")
			rows := make(t, path)
			unchanged := watch(t, data)
			f.Preview(`test.equal(sqlite.check(DIR + "/data/a b?c#d%41.db"), [])`)
			unchanged()
			f.Run(`test.equal(sqlite.check(DIR + "/data/a b?c#d%41.db", quick = True), [])`)
			unchanged()
			f.Run(`r = sqlite.backup(DIR + "/data/a b?c#d%41.db", DIR + "/copy ?#%41.db")
test.equal(r.path, DIR + "/copy ?#%41.db")
test.equal(r.size, 4096 * r.pages)
`).Want(events.Succeeded)
			unchanged()
			copied := filepath.Join(f.Dir, "copy ?#%41.db")
			whole(t, copied)
			first, _ := count(t, copied, "first")
			held, _ := count(t, copied, "held")
			half := rowsOf(t, copied, "half done")
			if first+held != rows || half != 0 {
				t.Errorf("the copy has %d and %d rows, %d of them half done, want %d", first, held, half, rows)
			}
			if left, _ := filepath.Glob(filepath.Join(f.State.Cache(), "sqlite", "*")); len(left) > 0 {
				t.Errorf("private copies are left: %q", left)
			}
		})
	}
}

func rowsOf(t *testing.T, path, text string) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(path, "immutable=1"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow("SELECT count(*) FROM t WHERE text = ?", text).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
