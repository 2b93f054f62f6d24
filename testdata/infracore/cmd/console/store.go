package main

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", without cgo
)

// note is a line of text that somebody left.
type note struct {
	ID      int64     `json:"id"`
	Text    string    `json:"text"`
	Created time.Time `json:"created"`
}

// store keeps the notes.
type store struct {
	db   *sql.DB
	path string
}

// pragmas are set on every connection. WAL lets readers and a backup go on while somebody writes.
var pragmas = url.Values{"_pragma": {"journal_mode(WAL)", "synchronous(NORMAL)", "busy_timeout(5000)"}}

// openStore opens the database at path, creating it and its directory when missing.
func openStore(path string) (*store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, fmt.Errorf("create the directory of the database: %w", err)
	}
	// A URL, so that a path with ? or % in it stays one path.
	dsn := url.URL{Scheme: "file", Path: path, RawQuery: pragmas.Encode()}
	db, err := sql.Open("sqlite", dsn.String())
	if err != nil {
		return nil, fmt.Errorf("open the database %s: %w", path, err)
	}
	// An older release must be able to use what a newer one leaves, so that a deploy can be rolled back:
	// the schema only grows.
	const schema = `CREATE TABLE IF NOT EXISTS notes (
		id INTEGER PRIMARY KEY AUTOINCREMENT, text TEXT NOT NULL, created TEXT NOT NULL)`
	if _, err := db.Exec(schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("prepare the database %s: %w", path, err)
	}
	return &store{db: db, path: path}, nil
}

// Close writes the log back into the database file and closes it.
func (s *store) Close() error {
	if err := s.db.Close(); err != nil {
		return fmt.Errorf("close the database %s: %w", s.path, err)
	}
	return nil
}

// check reads from the table, and looks for the file: SQLite would go on using one that was deleted.
func (s *store) check(ctx context.Context) error {
	if _, err := os.Stat(s.path); err != nil {
		return fmt.Errorf("the database file: %w", err)
	}
	var n int
	if err := s.db.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT 1 FROM notes LIMIT 1)`).Scan(&n); err != nil {
		return fmt.Errorf("read the database %s: %w", s.path, err)
	}
	return nil
}

// add keeps text as a new note.
func (s *store) add(ctx context.Context, text string) (note, error) {
	n := note{Text: text, Created: time.Now().UTC().Truncate(time.Second)}
	res, err := s.db.ExecContext(ctx, `INSERT INTO notes (text, created) VALUES (?, ?)`, n.Text, n.Created.Format(time.RFC3339))
	if err != nil {
		return note{}, fmt.Errorf("add a note: %w", err)
	}
	if n.ID, err = res.LastInsertId(); err != nil {
		return note{}, fmt.Errorf("add a note: %w", err)
	}
	return n, nil
}

// list returns at most limit notes, the newest first.
func (s *store) list(ctx context.Context, limit int) ([]note, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, text, created FROM notes ORDER BY id DESC LIMIT ?`, limit)
	if err != nil {
		return nil, fmt.Errorf("list the notes: %w", err)
	}
	defer rows.Close()
	notes := []note{} // an empty list is [] in JSON, not null
	for rows.Next() {
		var n note
		var created string
		if err := rows.Scan(&n.ID, &n.Text, &created); err != nil {
			return nil, fmt.Errorf("list the notes: %w", err)
		}
		if n.Created, err = time.Parse(time.RFC3339, created); err != nil {
			return nil, fmt.Errorf("note %d: %w", n.ID, err)
		}
		notes = append(notes, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list the notes: %w", err)
	}
	return notes, nil
}
