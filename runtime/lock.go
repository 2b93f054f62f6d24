package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Holder says who holds the lock.
type Holder struct {
	PID     int       `json:"pid"`
	Run     string    `json:"run"`
	Recipe  string    `json:"recipe"`
	Started time.Time `json:"started"`
}

// LockedError is another run holding the lock.
type LockedError struct {
	Holder Holder
	Path   string
}

func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return fmt.Sprintf("another run holds the lock %s", e.Path)
	}
	return fmt.Sprintf("run %s of %s holds the lock %s: process %d, since %s", e.Holder.Run, e.Holder.Recipe,
		e.Path, e.Holder.PID, e.Holder.Started.Local().Format(time.DateTime))
}

// Hint says what to do about it.
func (e *LockedError) Hint() string { return "wait until it has finished" }

// Lock is the lock of a state directory. The system frees it when the process ends, however it ends;
// the file stays, since unlinking it would let two hold it.
type Lock struct{ f *os.File }

// Lock takes the lock or fails with a *LockedError.
func (s *State) Lock(h Holder) (*Lock, error) {
	if err := s.makeDir(); err != nil {
		return nil, err
	}
	name := filepath.Join(s.dir, "lock")
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the lock: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("lock %s: %w", name, err)
		}
		return nil, &LockedError{Holder: s.holder(), Path: name}
	}
	l := &Lock{f}
	if err := l.name(h); err != nil {
		l.Release()
		return nil, err
	}
	return l, nil
}

// holder returns who wrote their name into the lock last; an empty name if that cannot be told, as
// while it is being written. A process that was killed leaves its name there.
func (s *State) holder() (h Holder) {
	data, err := os.ReadFile(filepath.Join(s.dir, "lock"))
	if err != nil || json.Unmarshal(data, &h) != nil {
		return Holder{}
	}
	return h
}

// name writes who holds the lock.
func (l *Lock) name(h Holder) error {
	data, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if err := l.f.Truncate(0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	if _, err := l.f.WriteAt(append(data, '\n'), 0); err != nil {
		return fmt.Errorf("write the lock: %w", err)
	}
	return nil
}

// Release gives the lock back.
func (l *Lock) Release() {
	l.f.Truncate(0) // only so that nobody reads an old name; the lock is the descriptor's
	// Closing alone would not do: a process that is being started has the descriptor, too, for a moment.
	syscall.Flock(int(l.f.Fd()), syscall.LOCK_UN)
	l.f.Close()
}
