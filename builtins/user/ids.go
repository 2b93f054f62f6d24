package user

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// idRange is from which numbers new users and groups are chosen.
type idRange struct{ min, max int }

// ranges are those of system users and groups, and of people, as /etc/login.defs says or, where it does not, as the tools
// take for granted.
func ranges(v *filesys.View) (system, people idRange, err error) {
	text, err := v.ReadFile("/etc/login.defs", maxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return system, people, err
	}
	defs := parseLoginDefs(string(text))
	get := func(name string, fallback int) int {
		if n, ok := defs[name]; ok {
			return n
		}
		return fallback
	}
	people = idRange{get("UID_MIN", 1000), get("UID_MAX", 60000)}
	system = idRange{get("SYS_UID_MIN", 101), get("SYS_UID_MAX", people.min-1)}
	return system, people, nil
}

// parseLoginDefs reads the settings that are numbers.
func parseLoginDefs(text string) map[string]int {
	defs := map[string]int{}
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) < 2 || strings.HasPrefix(f[0], "#") {
			continue
		}
		if n, err := strconv.ParseInt(f[1], 0, 32); err == nil {
			defs[f[0]] = int(n)
		}
	}
	return defs
}

// free returns a number that neither a user nor a group has: the highest of those for the system, the one after the
// highest that is taken for people, as useradd does.
func (a accounts) free(r idRange, system bool) (int, error) {
	taken := map[int]bool{}
	highest := r.min - 1
	for _, id := range slices.Concat(a.uids(), a.gids()) {
		taken[id] = true
		if id >= r.min && id <= r.max {
			highest = max(highest, id)
		}
	}
	if !system && highest < r.max {
		return highest + 1, nil
	}
	for id := r.max; id >= r.min; id-- {
		if !taken[id] {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no number from %d to %d is free; see /etc/login.defs", r.min, r.max)
}

func (a accounts) uids() []int {
	ids := make([]int, len(a.users))
	for i, u := range a.users {
		ids[i] = u.uid
	}
	return ids
}

func (a accounts) gids() []int {
	ids := make([]int, len(a.groups))
	for i, g := range a.groups {
		ids[i] = g.gid
	}
	return ids
}
