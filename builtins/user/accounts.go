package user

import (
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
)

// maxFile is how large a file of accounts may be, in bytes.
const maxFile = 64 << 20

// account is a line of /etc/passwd: name:x:uid:gid:comment:home:shell.
type account struct {
	name, comment, home, shell string
	uid, gid                   int
}

func (a account) line() string {
	return fmt.Sprintf("%s:x:%d:%d:%s:%s:%s", a.name, a.uid, a.gid, a.comment, a.home, a.shell)
}

// group is a line of /etc/group: name:x:gid:members.
type group struct {
	name    string
	gid     int
	members []string
}

func (g group) line() string {
	return fmt.Sprintf("%s:x:%d:%s", g.name, g.gid, strings.Join(g.members, ","))
}

// accounts are the users and groups of the machine, in the order of the files.
type accounts struct {
	users  []account
	groups []group
}

// readAccounts reads the accounts as a run or preview sees them. A line that is none is left out.
func readAccounts(v *filesys.View) (accounts, error) {
	passwd, err := v.ReadFile(passwdFile, maxFile)
	if err != nil {
		return accounts{}, err
	}
	groups, err := v.ReadFile(groupFile, maxFile)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return accounts{}, err
	}
	return accounts{parsePasswd(string(passwd)), parseGroups(string(groups))}, nil
}

func parsePasswd(text string) []account {
	var users []account
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 7 || f[0] == "" {
			continue
		}
		uid, uerr := parseID(f[2])
		gid, gerr := parseID(f[3])
		if uerr == nil && gerr == nil {
			users = append(users, account{name: f[0], uid: uid, gid: gid, comment: f[4], home: f[5], shell: f[6]})
		}
	}
	return users
}

func parseGroups(text string) []group {
	var groups []group
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 4 || f[0] == "" {
			continue
		}
		if gid, err := parseID(f[2]); err == nil {
			groups = append(groups, group{name: f[0], gid: gid, members: splitMembers(f[3])})
		}
	}
	return groups
}

func parseID(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	return int(n), err
}

func splitMembers(text string) []string {
	return slices.DeleteFunc(strings.Split(text, ","), func(s string) bool { return s == "" })
}

func (a accounts) user(name string) (account, bool) {
	i := slices.IndexFunc(a.users, func(u account) bool { return u.name == name })
	if i < 0 {
		return account{}, false
	}
	return a.users[i], true
}

func (a accounts) group(name string) (group, bool) {
	i := slices.IndexFunc(a.groups, func(g group) bool { return g.name == name })
	if i < 0 {
		return group{}, false
	}
	return a.groups[i], true
}

// groupName returns the name of a group, the number if it has none.
func (a accounts) groupName(gid int) string {
	for _, g := range a.groups {
		if g.gid == gid {
			return g.name
		}
	}
	return strconv.Itoa(gid)
}

// memberships returns the groups that a user is listed in, beside the one of its own.
func (a accounts) memberships(name string) []string {
	var names []string
	for _, g := range a.groups {
		if slices.Contains(g.members, name) {
			names = append(names, g.name)
		}
	}
	return names
}

// namePattern is what every tool takes for a name.
var namePattern = regexp.MustCompile(`^[a-z_][a-z0-9_-]{0,31}$`)

func checkName(parameter, name string) error {
	if !namePattern.MatchString(name) {
		return fmt.Errorf("for parameter %s: %q is no name: up to 32 of a-z, 0-9, - and _, the first a letter or _", parameter, name)
	}
	return nil
}

// checkPath refuses what would break a line of /etc/passwd. Empty is a parameter that was not given.
func checkPath(parameter, path string) error {
	if path != "" && (path[0] != '/' || strings.ContainsAny(path, ":\n\r\x00")) {
		return fmt.Errorf("for parameter %s: %q is no absolute path without a colon", parameter, path)
	}
	return nil
}
