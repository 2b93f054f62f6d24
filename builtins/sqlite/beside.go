package sqlite

import (
	"errors"
	"io/fs"
	"os"
)

// The files that SQLite keeps beside a database while it is open, and leaves behind if its process is killed.
const (
	walSuffix     = "-wal"     // what was written and is not yet in the database: the write-ahead log
	shmSuffix     = "-shm"     // the index of that log, shared memory of those who have it open
	journalSuffix = "-journal" // without a write-ahead log: what was in the pages that are being written
)

// sideSuffixes are all of them.
var sideSuffixes = []string{walSuffix, shmSuffix, journalSuffix}

// sideFiles returns the paths of what may lie beside a database.
func sideFiles(path string) []string {
	var paths []string
	for _, suffix := range sideSuffixes {
		paths = append(paths, path+suffix)
	}
	return paths
}

// state is what can be told about a database from what lies beside it.
type state int

const (
	// quiet: the file alone is the database.
	quiet state = iota
	// journaled: there is a journal. Somebody writes, or was killed while he wrote, or keeps an empty one.
	journaled
	// live: there is a log with its index. Somebody has the database open, or was killed while he had.
	live
	// abandoned: there is a log without its index. Nobody has the database open, and to open it would make the index.
	abandoned
)

// stateOf looks beside a database. It changes nothing.
func stateOf(path string) (state, error) {
	sizes := map[string]int64{}
	for _, suffix := range sideSuffixes {
		var err error
		if sizes[suffix], err = sizeOf(path + suffix); err != nil {
			return quiet, err
		}
	}
	switch {
	case sizes[walSuffix] >= 0 && sizes[shmSuffix] >= 0:
		return live, nil
	case sizes[walSuffix] > 0:
		return abandoned, nil
	case sizes[journalSuffix] > 0:
		return journaled, nil
	}
	return quiet, nil
}

// stays fails with errChanged if a database is no longer in the state it was in, so that what was read may be of two
// states. While a readLock is held it tells for certain: a log that others make they cannot take away. A journal that
// somebody has begun meanwhile does not matter, since he waits for the lock.
func (s state) stays(path string) error {
	now, err := stateOf(path)
	if err == nil && now != s && !(s == quiet && now == journaled) {
		return errChanged
	}
	return err
}

// sizeOf returns the size of a file, -1 if there is none.
func sizeOf(path string) (int64, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return -1, nil
	} else if err != nil {
		return -1, err
	}
	return info.Size(), nil
}
