// Package proc reads what the kernel says about processes, in /proc.
//
// A pid alone does not name a process: when it ends, the number is given to another. So a process is
// remembered as an [Identity], its pid and the moment it started. The package only reads; what ends
// processes is in package child.
//
//	proc.go      stat files, and who is there
//	identity.go  telling a process from another that got its pid
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Stat is the part of a process's stat file that is of use here.
type Stat struct {
	PID     int
	Name    string // as the kernel shows it, at most 15 bytes; it may hold anything
	State   byte   // R, S, D, Z (ended, not yet reaped), …
	Parent  int
	Group   int // process group
	Session int
	Start   uint64 // when it started, in ticks of [Tick] since the machine did
}

// Ended reports whether the process is over and only its entry is left.
func (s Stat) Ended() bool { return s.State == 'Z' || s.State == 'X' }

// ParseStat reads the text of a /proc/<pid>/stat file.
func ParseStat(text []byte) (Stat, error) {
	// 42 (name) S 1 42 42 …: the name may hold parentheses, spaces and newlines of its own.
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return Stat{}, errors.New("stat file without a name")
	}
	fields := strings.Fields(string(text[end+1:]))
	if len(fields) < 20 || len(fields[0]) != 1 {
		return Stat{}, errors.New("stat file is too short")
	}
	s := Stat{Name: string(text[open+1 : end]), State: fields[0][0]}
	var errs [5]error
	s.PID, errs[0] = strconv.Atoi(string(bytes.TrimSpace(text[:open])))
	s.Parent, errs[1] = strconv.Atoi(fields[1])
	s.Group, errs[2] = strconv.Atoi(fields[2])
	s.Session, errs[3] = strconv.Atoi(fields[3])
	s.Start, errs[4] = strconv.ParseUint(fields[19], 10, 64) // field 22 in proc(5)
	if err := errors.Join(errs[:]...); err != nil {
		return Stat{}, fmt.Errorf("stat file: %w", err)
	}
	return s, nil
}

// ReadStat reads the stat file of a process.
func ReadStat(pid int) (Stat, error) {
	text, err := os.ReadFile(file(pid, "stat"))
	if err != nil {
		return Stat{}, err
	}
	return ParseStat(text)
}

// All goes through the processes that run. One that ends meanwhile may be left out.
func All() iter.Seq[Stat] {
	return func(yield func(Stat) bool) {
		entries, err := os.ReadDir("/proc")
		if err != nil {
			return
		}
		for _, e := range entries {
			pid, err := strconv.Atoi(e.Name())
			if err != nil {
				continue
			}
			if s, err := ReadStat(pid); err == nil && !s.Ended() && !yield(s) {
				return
			}
		}
	}
}

// InSession returns the processes of a session, which is named after the pid of its first process.
func InSession(session int) []Identity {
	var found []Identity
	for s := range All() {
		if s.Session == session {
			found = append(found, s.Identity())
		}
	}
	return found
}

// WithEnv returns the processes that were given this entry, NAME=value, in their environment. Those of
// other users are seen by root alone.
func WithEnv(entry string) []Identity {
	var found []Identity
	for s := range All() {
		env, err := os.ReadFile(file(s.PID, "environ"))
		if err == nil && slices.Contains(strings.Split(string(env), "\x00"), entry) {
			found = append(found, s.Identity())
		}
	}
	return found
}

// Command returns the arguments of a process, nil if it has ended or is one of the kernel's own.
func Command(pid int) []string {
	line, err := os.ReadFile(file(pid, "cmdline"))
	if err != nil || len(line) == 0 {
		return nil
	}
	return strings.Split(strings.TrimSuffix(string(line), "\x00"), "\x00")
}

func file(pid int, name string) string {
	return filepath.Join("/proc", strconv.Itoa(pid), name)
}
