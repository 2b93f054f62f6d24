package user

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/builtins/internal/proc"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// takeBack undoes a change of accounts.
func takeBack(ctx context.Context, w *runtime.Writer, args undoArgs) error {
	before, err := openKept(w, args.Before)
	if err != nil {
		return err
	}
	unlock, err := lockAccounts(ctx, w)
	if err != nil {
		return err
	}
	defer unlock()
	now := map[string]kept{}
	for _, path := range accountFiles {
		if now[path], err = readKept(path); err != nil {
			return err
		}
	}
	own := args.owned(string(now[passwdFile].Content), string(now[groupFile].Content))
	if err := args.stillInUse(now, own); err != nil {
		return err
	}
	x := newFileWriter(w)
	for _, path := range accountFiles {
		if err := x.takeBack(args, now[path], before, own); err != nil {
			return fmt.Errorf("put back %s: %w", path, err)
		}
	}
	return nil
}

func openKept(w *runtime.Writer, blob journal.Blob) (map[string]kept, error) {
	r, err := w.Open(blob)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var all []kept
	if err := json.NewDecoder(r).Decode(&all); err != nil {
		return nil, fmt.Errorf("read the accounts as they were: %w", err)
	}
	byPath := map[string]kept{}
	for _, k := range all {
		byPath[k.Path] = k
	}
	return byPath, nil
}

// takeBack undoes a change in one file. If that makes it what it was, it is put back with all that it had, and so is what
// lies beside it.
func (x *fileWriter) takeBack(args undoArgs, now kept, before map[string]kept, own owned) error {
	was := before[now.Path]
	text := args.revert(now.Path, string(now.Content), string(was.Content), own)
	if text != string(was.Content) {
		// Others have changed it as well.
		if text == string(now.Content) {
			return nil
		}
		return x.write(now, []byte(text))
	}
	err := x.restore(was)
	for _, suffix := range sideSuffixes {
		err = errors.Join(err, x.restore(before[now.Path+suffix]))
	}
	return err
}

// stillInUse fails if something on the machine is in the way.
func (a undoArgs) stillInUse(now map[string]kept, own owned) error {
	users := parsePasswd(string(now[passwdFile].Content))
	for _, u := range users {
		if own.group && u.gid == a.GID && !(own.user && u.name == a.User) {
			return fmt.Errorf("the group %s is by now that of the user %s; give that user another group, then roll back again", a.Group, u.name)
		}
	}
	if _, there := (accounts{users: users}).user(a.User); !own.user || !there {
		return nil
	}
	if p := processesOf(a.UID); len(p) > 0 {
		return fmt.Errorf("the user %s still runs %s; stop that, then roll back again", a.User, strings.Join(p, ", "))
	}
	return nil
}

// processesOf names the processes of a user.
func processesOf(uid int) []string {
	var names []string
	for s := range proc.All() {
		text, err := os.ReadFile("/proc/" + strconv.Itoa(s.PID) + "/status")
		if err == nil && !s.Ended() && runsAs(string(text), uid) {
			names = append(names, fmt.Sprintf("%s (process %d)", s.Name, s.PID))
		}
	}
	return names
}

// runsAs reads from a /proc/<pid>/status file whether a process has the user id, as one of its four.
func runsAs(status string, uid int) bool {
	for line := range strings.Lines(status) {
		ids, ok := strings.CutPrefix(line, "Uid:")
		if !ok {
			continue
		}
		for id := range strings.FieldsSeq(ids) {
			if id == strconv.Itoa(uid) {
				return true
			}
		}
	}
	return false
}

const (
	lockFile    = "/etc/.pwd.lock" // see lckpwdf(3)
	lockTimeout = 30 * time.Second
	lockPoll    = 50 * time.Millisecond
)

// lockAccounts takes the lock that everything takes that changes accounts.
func lockAccounts(ctx context.Context, w *runtime.Writer) (unlock func(), err error) {
	w.Require()
	f, err := os.OpenFile(lockFile, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the accounts: %w", err)
	}
	deadline := time.Now().Add(lockTimeout)
	for {
		lock := unix.Flock_t{Type: unix.F_WRLCK}
		err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &lock)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", lockFile, err)
		}
		if time.Now().After(deadline) {
			defer f.Close()
			return nil, fmt.Errorf("%s is held by %s for more than %v; when it is done, roll back again", lockFile, holder(f), lockTimeout)
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(lockPoll):
		}
	}
}

// holder names who has the lock of a file.
func holder(f *os.File) string {
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	if err := unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock); err != nil || lock.Pid <= 0 {
		return "another process"
	}
	if s, err := proc.ReadStat(int(lock.Pid)); err == nil {
		return fmt.Sprintf("%s (process %d)", s.Name, lock.Pid)
	}
	return fmt.Sprintf("process %d", lock.Pid)
}
