package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	driver "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/infrarun/infrarun/builtins/internal/scratch"
)

// access is how databases are read: where a private copy of one may be made, and how long to wait for those who
// write.
type access struct {
	copies  scratch.Place
	timeout time.Duration
}

// errChanged is a database that was opened by somebody, or closed, while it was taken for quiet or abandoned.
var errChanged = errors.New("it was opened by another process meanwhile")

// poll is how long to wait before what somebody else keeps from us is tried again.
const poll = 20 * time.Millisecond

// pause waits for that long.
func pause(ctx context.Context) error {
	t := time.NewTimer(poll)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// open gives use a connection to a database, wherever it is.
func (a access) open(ctx context.Context, src source, use func(*sql.Conn) error) error {
	if src.path != "" {
		return a.read(ctx, src.path, use)
	}
	return a.explain(src.info.Path, a.readCopy(ctx, src.info.Path, src.view.Open, use))
}

// read opens the database at path, a real path, and gives use a connection that sees one state of it. Nothing in the
// directory changes through that. Use may be called again if the database turns out to have changed under it.
func (a access) read(ctx context.Context, path string, use func(*sql.Conn) error) error {
	until := time.Now().Add(a.timeout)
	for {
		err := a.readOnce(ctx, path, until, use)
		if err != nil && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if again := errors.Is(err, errChanged) || isIndexInTheMaking(err); !again || time.Now().After(until) {
			return a.explain(path, err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func (a access) readOnce(ctx context.Context, path string, until time.Time, use func(*sql.Conn) error) error {
	lock, err := lockForReading(ctx, path, until)
	if err != nil {
		return err
	}
	defer lock.release()
	now, err := stateOf(path)
	if err != nil {
		return err
	}
	switch now {
	case quiet:
		// Immutable: SQLite makes neither a log nor its index.
		err = connect(ctx, path, use, "immutable=1")
	case live, journaled:
		// Readonly_shm: it looks at the index that is there, or makes one in memory, but does not write to it.
		err = connect(ctx, path, use, "mode=ro", "readonly_shm=1", busyTimeout(until))
		if !isHotJournal(err) {
			return err
		}
		err = a.readCopy(ctx, path, openOnDisk, use)
	case abandoned:
		err = a.readCopy(ctx, path, openOnDisk, use)
	}
	return errors.Join(now.stays(path), err)
}

// readCopy reads a private copy of a database, in which SQLite may put in order what a user that was killed has left.
func (a access) readCopy(ctx context.Context, path string, open openFunc, use func(*sql.Conn) error) error {
	return a.copies.With(func(dir string) error {
		copied, err := copyDatabase(ctx, path, dir, open)
		if err != nil {
			return err
		}
		return connect(ctx, copied, use)
	})
}

// keepLocks makes SQLite's locks belong to the open file. By default they belong to the process, and it loses those on a
// database whenever anything in it closes that file: another branch of the recipe that copies it, or a readLock.
var keepLocks = sync.OnceValue(func() error {
	if _, err := driver.OFDLocking(true); err != nil {
		return fmt.Errorf("set up SQLite's locks: %w", err)
	}
	return nil
})

// connect opens a database with these parameters, and closes it when use returns.
func connect(ctx context.Context, path string, use func(*sql.Conn) error, params ...string) (err error) {
	if err := keepLocks(); err != nil {
		return err
	}
	db, err := sql.Open("sqlite", dsn(path, params...))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	return use(conn)
}

// dsn names a database for SQLite. What a database of unknown origin defines is not trusted.
func dsn(path string, params ...string) string {
	params = append(params, "_pragma=trusted_schema(off)", "_pragma=temp_store(memory)")
	return (&url.URL{Scheme: "file", Path: path, RawQuery: strings.Join(params, "&")}).String()
}

func busyTimeout(until time.Time) string {
	return fmt.Sprintf("_pragma=busy_timeout(%d)", max(0, time.Until(until).Milliseconds()))
}

// code returns SQLite's extended result code of an error, 0 if it is not one of SQLite's.
func code(err error) int {
	var e *driver.Error
	if errors.As(err, &e) {
		return e.Code()
	}
	return 0
}

// isHotJournal tells that somebody was killed while he wrote, and that the pages have to be put back first.
func isHotJournal(err error) bool { return code(err) == codes.SQLITE_READONLY_ROLLBACK }

// isIndexInTheMaking tells that the index of the log is being made, or made anew, by somebody who opens the database.
func isIndexInTheMaking(err error) bool {
	c := code(err)
	return c == codes.SQLITE_READONLY_RECOVERY || c == codes.SQLITE_READONLY_CANTINIT
}
