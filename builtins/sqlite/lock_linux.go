package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// The bytes of a database file that SQLite's processes lock to agree on who may write. They lie at 1 GiB, whether
// the file is that large or not: https://www.sqlite.org/lockingv3.html and os_unix.c.
const (
	pendingByte = 0x40000000
	sharedFirst = pendingByte + 2
	sharedSize  = 510
)

// readLock is the SHARED lock on a database, which every reader holds. While it is held
//
//   - nobody without a write-ahead log can write to the file, and
//   - nobody who has one can take the log away, since that takes the file for himself alone.
//
// It belongs to the open file, not to the process, so it outlives that something else here opens and closes the file.
type readLock struct{ file *os.File }

// lockForReading takes the lock of the database at path, a real path, and waits until then for those that write.
func lockForReading(ctx context.Context, path string, until time.Time) (*readLock, error) {
	for {
		l, err := tryLock(path)
		if !errors.Is(err, errLocked) || time.Now().After(until) {
			return l, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// tryLock takes the lock, or fails with errLocked if that is not possible now.
func tryLock(path string) (*readLock, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	err = isDatabaseFile(f)
	if err == nil {
		// Who wants to write waits at the pending byte for the readers to finish: do not overtake him.
		err = setLock(f, unix.F_RDLCK, pendingByte, 1)
	}
	if err == nil {
		err = setLock(f, unix.F_RDLCK, sharedFirst, sharedSize)
		err = errors.Join(err, setLock(f, unix.F_UNLCK, pendingByte, 1))
	}
	if err == nil {
		err = stillThere(f, path)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &readLock{f}, nil
}

// isDatabaseFile refuses what cannot be a database, before anything waits for it.
func isDatabaseFile(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errNoDatabase
	}
	return checkMagic(f)
}

// stillThere fails with errLocked if another file has taken the place of f since it was opened.
func stillThere(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	now, err := os.Stat(path)
	if err == nil && !os.SameFile(mine, now) {
		return errLocked
	}
	return err
}

func setLock(f *os.File, kind int16, start, length int64) error {
	lock := unix.Flock_t{Type: kind, Whence: io.SeekStart, Start: start, Len: length}
	err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES):
		return errLocked
	}
	return fmt.Errorf("lock %s: %w", f.Name(), err)
}

// release gives the lock back.
func (l *readLock) release() { l.file.Close() }

// lockedBy returns the pid of a process that has a lock on the database file at path, which everybody with a
// write-ahead log has as long as it is open: 0 if nobody, -1 if it cannot be told who.
func lockedBy(path string) (int, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart, Start: pendingByte, Len: sharedFirst + sharedSize - pendingByte}
	if err := unix.FcntlFlock(f.Fd(), unix.F_OFD_GETLK, &lock); err != nil {
		return 0, fmt.Errorf("look for locks on %s: %w", path, err)
	}
	if lock.Type == unix.F_UNLCK {
		return 0, nil
	}
	if lock.Pid <= 0 {
		return -1, nil
	}
	return int(lock.Pid), nil
}
