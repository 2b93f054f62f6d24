package sqlite

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	codes "modernc.org/sqlite/lib"
)

var (
	errLocked     = errors.New("it is locked by somebody who writes")
	errNoDatabase = errors.New("it is no SQLite database, or an encrypted one")
)

// magic is what every database that is not empty begins with.
const magic = "SQLite format 3\x00"

// checkMagic fails with errNoDatabase unless a database begins like one. An empty file is a database without tables.
func checkMagic(r io.Reader) error {
	start := make([]byte, len(magic))
	switch n, err := io.ReadFull(r, start); {
	case n == 0 && err == io.EOF:
		return nil
	case err == io.ErrUnexpectedEOF || err == nil && string(start) != magic:
		return errNoDatabase
	default:
		return err
	}
}

// isDamage tells that a database, or what should be one, cannot be read because of what is in it.
func isDamage(err error) bool {
	c := code(err) & 0xff
	return errors.Is(err, errNoDatabase) || c == codes.SQLITE_CORRUPT || c == codes.SQLITE_NOTADB
}

// isBusy tells that somebody else kept the database locked.
func isBusy(err error) bool {
	c := code(err) & 0xff
	return errors.Is(err, errLocked) || c == codes.SQLITE_BUSY || c == codes.SQLITE_LOCKED
}

// explain says of an error which database it is about, and what to do.
func (a access) explain(path string, err error) error {
	switch {
	case err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission):
		return err // these name the path
	case isBusy(err):
		return fmt.Errorf("read %s: it stayed locked for %s%s; try again when they write less, or give a longer timeout: %w",
			path, a.timeout, openIn(path), err)
	case errors.Is(err, errChanged) || isIndexInTheMaking(err):
		return fmt.Errorf("read %s: it kept being opened and closed for %s%s; try again: %w", path, a.timeout, openIn(path), err)
	}
	return fmt.Errorf("read %s: %w", path, err)
}

// openIn names who has a database open, as part of a sentence.
func openIn(path string) string {
	var names []string
	for _, u := range usersOf(path) {
		names = append(names, u.String())
	}
	if len(names) == 0 {
		return ""
	}
	return " (it is open in " + strings.Join(names, ", ") + ")"
}
