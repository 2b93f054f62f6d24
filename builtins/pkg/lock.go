package pkg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

const (
	lockPoll = 200 * time.Millisecond
	lockTell = 30 * time.Second // how often it is told for whom is waited
)

// holderOf returns who holds the lock of a file, "" if nobody does. Only a lock of fcntl(2) can be seen.
func holderOf(path string) (string, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", err
	}
	defer f.Close()
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil {
		return "", &fs.PathError{Op: "look at the lock of", Path: path, Err: err}
	}
	switch {
	case lock.Type == unix.F_UNLCK:
		return "", nil
	case lock.Pid <= 0:
		return "a process that cannot be seen from here", nil
	}
	if s, err := proc.ReadStat(int(lock.Pid)); err == nil {
		return fmt.Sprintf("%s (process %d)", s.Name, lock.Pid), nil
	}
	return fmt.Sprintf("process %d", lock.Pid), nil
}

// waitForLocks waits until nobody holds one of the locks, and returns how much of the time is left. Tell is called with who
// is waited for: at once, and from time to time again.
func waitForLocks(ctx context.Context, paths []string, limit time.Duration, tell func(path, holder string)) (time.Duration, error) {
	deadline := time.Now().Add(limit)
	var told time.Time
	for {
		path, holder, err := firstHeld(paths)
		if err != nil || holder == "" {
			return time.Until(deadline), err
		}
		if time.Now().After(deadline) {
			return 0, fmt.Errorf("%s still holds %s after %v; wait until it is done, or see what it waits for, and run again", holder, path, limit)
		}
		if time.Since(told) > lockTell {
			told = time.Now()
			tell(path, holder)
		}
		select {
		case <-ctx.Done():
			return 0, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

func firstHeld(paths []string) (path, holder string, err error) {
	for _, path := range paths {
		if holder, err = holderOf(path); err != nil || holder != "" {
			return path, holder, err
		}
	}
	return "", "", nil
}
