// Package sqlite is the family of builtins that look after SQLite databases while they are in use:
//
//	backup(src, dst, timeout = "30s")                   copies a database consistently while others write to it
//	check(path, quick = False, timeout = "30s")         lists what is wrong with a database
//	tables(path, timeout = "30s")                       counts the rows of each table
//	restore(src, dst, timeout = "30s")                  puts a backup in the place of a database
//
// A database is more than its file: what was written last may only be in the write-ahead log beside it, and a copy of
// the file that is made while somebody writes has pages of two states. So here databases are read by SQLite itself.
//
// # Nothing changes where a database lies
//
// To open a database, even to read it, SQLite may make files beside it, put a log in order, or carry it over into the
// database when it is closed. A check is made in previews too, and a backup has permission to read only, so neither
// may do any of that. The package looks first what lies beside the database, and holds the lock of a reader meanwhile,
// so that what it saw stays true (see beside.go and read.go):
//
//   - no log: the file alone is the database. It is opened as immutable, which makes nothing. Should somebody open it
//     meanwhile there is a log afterwards, which he cannot remove against the lock, and it is read once more.
//   - a log and its index, so somebody has it open, or was killed: it is opened for reading, and so is the index.
//   - a log without its index, or a journal that was not rolled back: its last user was killed, and SQLite would have to
//     put it in order. It does so in a private copy, in infrarun's cache.
//
// What is left of SQLite's habits: as root it gives a log, its index and a journal that it opens to the owner of the
// database, whose they are already, so that only the time of that (ctime) is another one.
//
// A reader does not hold up who writes to a database with a write-ahead log; the log only grows until he is done. Without
// one, those who write wait until the reading is over.
//
// The package must not know what a database is for, nor who uses it.
//
//	backup.go writer_backup.go    sqlite.backup
//	check.go                      sqlite.check
//	tables.go                     sqlite.tables
//	restore.go writer_restore.go  sqlite.restore
//	read.go beside.go lock_*.go   reading a database without a trace
//	writer_copy.go                private copies
//	users.go errors.go target.go  who has it open, what went wrong, which paths are meant
package sqlite

import "github.com/infrarun/infrarun/runtime"

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "sqlite",
		Doc: "SQLite databases: consistent copies of those in use, whether they are whole, and putting a copy back. " +
			"What is read is read without making or changing anything beside it.",
		Builtins: []*runtime.Builtin{backupBuiltin(), checkBuiltin(), tablesBuiltin(), restoreBuiltin()},
	}
}
