package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	sqlite "modernc.org/sqlite"
	codes "modernc.org/sqlite/lib"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// copyMode is the mode of a copy: what is in a database is for its owner.
const copyMode fs.FileMode = 0o600

// copier makes copies of databases, in a draft beside where they go.
type copier struct {
	w     *runtime.Writer
	files *filesys.Writer
	draft string
}

func newCopier(w *runtime.Writer, draft string) *copier {
	w.Require()
	return &copier{w, filesys.Writable(w), draft}
}

// backup copies the database at src, a real path, to dst, where nothing is, and returns its number of pages. Dst is
// either whole, checked and on the disk, or not there.
func (c *copier) backup(ctx context.Context, a access, src, dst string) (pages int, err error) {
	defer func() {
		if err != nil {
			err = errors.Join(err, c.files.Delete(c.draft)) // otherwise the undo would
		}
	}()
	err = a.read(ctx, src, func(conn *sql.Conn) error {
		pages, err = c.copyPages(ctx, conn, filepath.Base(src))
		return err
	})
	if err != nil {
		return 0, c.explain(dst, err)
	}
	if err := c.verify(ctx, src); err != nil {
		return 0, err
	}
	return pages, c.files.Rename(ctx, c.draft, dst)
}

// pagesAtOnce is how many pages are copied between two looks at whether to stop. Of the usual size they are 4 MiB.
const pagesAtOnce = 1024

// backuper is what the driver's connections are beside what package sql knows of them.
type backuper interface {
	NewBackup(dst string) (*sqlite.Backup, error)
}

// copyPages copies what a connection sees to a new draft.
func (c *copier) copyPages(ctx context.Context, conn *sql.Conn, name string) (pages int, err error) {
	if err := c.newDraft(); err != nil {
		return 0, err
	}
	// As long as the transaction lasts it sees the one state, so the copy needs no second start when others write.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return 0, err
	}
	var tables int
	if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables); err != nil {
		return 0, err
	}
	err = conn.Raw(func(dc any) error {
		b, err := dc.(backuper).NewBackup(dsn(c.draft, "_pragma=journal_mode(off)", "_pragma=synchronous(off)"))
		if err != nil {
			return err
		}
		if pages, err = c.step(ctx, b, name); err != nil {
			b.Finish() // it can only fail as the step did
			return err
		}
		to, err := b.Commit()
		if err != nil {
			return err
		}
		return to.Close()
	})
	return pages, err
}

func (c *copier) step(ctx context.Context, b *sqlite.Backup, name string) (pages int, err error) {
	for more := true; more; {
		if err := context.Cause(ctx); err != nil {
			return 0, err
		}
		if more, err = b.Step(pagesAtOnce); err != nil {
			return 0, err
		}
		pages = b.PageCount()
		c.w.Progress(events.Bar{
			What: "back up " + name, Current: int64(pages - b.Remaining()), Total: int64(pages), Unit: "pages", Done: !more,
		})
	}
	return pages, nil
}

// newDraft makes an empty draft that only its owner can read, in the place of one that an earlier attempt left.
func (c *copier) newDraft() error {
	if err := c.files.Delete(c.draft); err != nil {
		return err
	}
	f, err := os.OpenFile(c.draft, os.O_WRONLY|os.O_CREATE|os.O_EXCL, copyMode)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(copyMode), f.Close())
}

// verify checks the draft and waits until it is on the disk.
func (c *copier) verify(ctx context.Context, src string) error {
	var problems []string
	err := connect(ctx, c.draft, func(conn *sql.Conn) (err error) {
		problems, err = integrity(ctx, conn, "integrity_check")
		return err
	}, "immutable=1")
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("check the copy of %s: %w", src, err)
	case len(problems) > 0:
		return fmt.Errorf("the copy of %s does not pass SQLite's check, so the database itself is damaged, or the disk is: %s; "+
			"look at it with sqlite.check", src, problems[0])
	}
	f, err := os.Open(c.draft)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// explain says of a full disk where there is no more room.
func (c *copier) explain(dst string, err error) error {
	if code(err)&0xff != codes.SQLITE_FULL {
		return err
	}
	room, rerr := filesys.SpaceAt(dst)
	if rerr != nil {
		return err
	}
	return fmt.Errorf("there is no more room for %s (%s free); make room on that disk: %w", dst, filesys.Bytes(room.Free), err)
}
