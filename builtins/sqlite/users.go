package sqlite

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// user is a process that has a database open.
type user struct {
	pid  int // -1 if only its lock can be seen
	name string
}

func (u user) String() string {
	switch {
	case u.pid < 0:
		return "a process that cannot be seen from here"
	case u.name == "":
		return fmt.Sprintf("process %d", u.pid)
	}
	return fmt.Sprintf("%s (process %d)", u.name, u.pid)
}

// usersOf returns the other processes that have a database, or what lies beside it, open. What those of other users
// have open is seen by root alone; of them only those are found that hold a lock.
func usersOf(path string) []user {
	files := map[string]os.FileInfo{}
	for _, p := range append(sideFiles(path), path) {
		if info, err := os.Stat(p); err == nil {
			files[filepath.Base(p)] = info
		}
	}
	var found []user
	for s := range proc.All() {
		if s.PID != os.Getpid() && hasOpen(s.PID, files) {
			found = append(found, user{s.PID, s.Name})
		}
	}
	holder, err := lockedBy(path)
	known := slices.ContainsFunc(found, func(u user) bool { return u.pid == holder })
	if err != nil || holder == 0 || holder == os.Getpid() || known || holder < 0 && len(found) > 0 {
		return found
	}
	u := user{pid: holder}
	if s, err := proc.ReadStat(holder); err == nil {
		u.name = s.Name
	}
	return append(found, u)
}

// hasOpen reports whether a process has one of these files open, given by their base names. Only files of these names
// are looked at: to ask for any other could wait for a file system that does not answer.
func hasOpen(pid int, files map[string]os.FileInfo) bool {
	dir := filepath.Join("/proc", strconv.Itoa(pid), "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false // ended, or somebody else's
	}
	for _, e := range entries {
		link := filepath.Join(dir, e.Name())
		target, err := os.Readlink(link)
		if err != nil || !strings.HasPrefix(target, "/") {
			continue
		}
		want, ok := files[filepath.Base(target)]
		if !ok {
			continue
		}
		// Compared as files, not as paths: a container has other paths.
		if got, err := os.Stat(link); err == nil && os.SameFile(got, want) {
			return true
		}
	}
	return false
}
