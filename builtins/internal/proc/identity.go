package proc

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Tick is the unit in which the kernel tells programs when a process started.
const Tick = time.Second / 100

// Identity is a process, told apart from every other that has or had its pid.
type Identity struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // as [Stat.Start]
}

// Identity returns who the process is.
func (s Stat) Identity() Identity { return Identity{s.PID, s.Start} }

// Identify returns who has a pid now. It is false if nobody does.
func Identify(pid int) (Identity, bool) {
	s, err := ReadStat(pid)
	return s.Identity(), err == nil && !s.Ended()
}

// Alive reports whether the process still runs. The zero identity does not.
func (id Identity) Alive() bool {
	now, ok := Identify(id.PID)
	return ok && now == id
}

// String returns the pid, as a person would look for it.
func (id Identity) String() string { return strconv.Itoa(id.PID) }

// Started returns when the process was started.
func (id Identity) Started() (time.Time, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return time.Time{}, fmt.Errorf("find out when the machine started: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if seconds, ok := strings.CutPrefix(line, "btime "); ok {
			boot, err := strconv.ParseInt(strings.TrimSpace(seconds), 10, 64)
			if err != nil {
				return time.Time{}, fmt.Errorf("find out when the machine started: %w", err)
			}
			return time.Unix(boot, 0).Add(time.Duration(id.Start) * Tick), nil
		}
	}
	return time.Time{}, errors.New("find out when the machine started: /proc/stat does not tell")
}
