package user

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
)

// undoKind is the kind of the undo records of this family.
const undoKind = "user.made"

// undoArgs say what a change has made of accounts.
type undoArgs struct {
	User      string   `json:"user,omitempty"`
	UID       int      `json:"uid,omitempty"`
	MadeUser  bool     `json:"made_user,omitempty"`
	Group     string   `json:"group,omitempty"`
	GID       int      `json:"gid,omitempty"`
	MadeGroup bool     `json:"made_group,omitempty"`
	Joined    []string `json:"joined,omitempty"` // the groups that the user was added to
	// Was and Set are home and shell of a user that existed, before and after.
	Was *profile `json:"was,omitempty"`
	Set *profile `json:"set,omitempty"`
	// Before are the files as they were.
	Before journal.Blob `json:"before"`
}

type profile struct {
	Home  string `json:"home"`
	Shell string `json:"shell"`
}

// Undo implements runtime.Change.
func (m *making) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	args := undoArgs{
		User: m.user.name, UID: m.user.uid, MadeUser: m.makeUser,
		Group: m.group.name, GID: m.group.gid, MadeGroup: m.makeGroup, Joined: m.join,
	}
	note := "takes away the user " + m.user.name
	switch {
	case m.call == "user.group":
		note = "takes away the group " + m.group.name
	case m.changesUser():
		args.Was, args.Set = &profile{m.was.home, m.was.shell}, &profile{m.user.home, m.user.shell}
		note = "puts back what the user was"
	case !m.makeUser:
		note = "takes the user out of the groups"
	}
	var err error
	args.Before, err = keepAll(k)
	return &runtime.Undo{Kind: undoKind, Args: args, Note: note}, err
}

// owned is what of it is still the run's, by what the files say now: another user or group may have got the name.
type owned struct{ user, group bool }

func (a undoArgs) owned(passwd, groups string) owned {
	now := accounts{parsePasswd(passwd), parseGroups(groups)}
	u, userThere := now.user(a.User)
	g, groupThere := now.group(a.Group)
	return owned{
		user:  a.MadeUser && (!userThere || u.uid == a.UID),
		group: a.MadeGroup && (!groupThere || g.gid == a.GID),
	}
}

// revert returns a file of accounts without what the change has made of it. Text is what it is, before what it was.
func (a undoArgs) revert(path, text, before string, own owned) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		var keep bool
		switch path {
		case passwdFile:
			keep = !(own.user && f[0] == a.User)
			line = a.revertProfile(f, line)
		case "/etc/shadow":
			keep = !(own.user && f[0] == a.User)
		case "/etc/subuid", "/etc/subgid":
			keep = !(own.user && f[0] == a.User) || slices.Contains(slices.Collect(strings.Lines(before)), line)
		default: // group and gshadow
			keep = !(own.group && f[0] == a.Group)
			line = a.revertMembers(f, line, own)
		}
		if keep {
			b.WriteString(line)
		}
	}
	return b.String()
}

// revertProfile puts home and shell back, where they are still what the change has set.
func (a undoArgs) revertProfile(f []string, line string) string {
	if a.Was == nil || len(f) != 7 || f[0] != a.User || f[2] != strconv.Itoa(a.UID) {
		return line
	}
	if f[5] == a.Set.Home {
		f[5] = a.Was.Home
	}
	if f[6] == a.Set.Shell {
		f[6] = a.Was.Shell
	}
	return strings.Join(f, ":") + ending(line)
}

// revertMembers takes the user out of a group that it was added to; of all, if the user is taken away.
func (a undoArgs) revertMembers(f []string, line string, own owned) string {
	if len(f) != 4 || a.User == "" || !own.user && !slices.Contains(a.Joined, f[0]) {
		return line
	}
	members := strings.Split(f[3], ",")
	if !slices.Contains(members, a.User) {
		return line
	}
	f[3] = strings.Join(slices.DeleteFunc(members, func(name string) bool { return name == a.User }), ",")
	return strings.Join(f, ":") + ending(line)
}

func ending(line string) string {
	if strings.HasSuffix(line, "\n") {
		return "\n"
	}
	return ""
}

// left is what a change has left: the lines that it made or changed, for the check for drift.
type left struct {
	User  string `json:"user,omitempty"`
	Group string `json:"group,omitempty"`
}

// leftBehind looks at what the change has left.
func (m *making) leftBehind() (left, error) {
	now, err := readAccounts(m.view)
	if err != nil {
		return left{}, err
	}
	return linesOf(now, undoArgs{User: m.user.name, Group: m.group.name}), nil
}

func linesOf(now accounts, a undoArgs) left {
	var l left
	if u, ok := now.user(a.User); ok {
		l.User = u.line()
	}
	if g, ok := now.group(a.Group); ok {
		g.members = nil // who else was added does not matter, and it may have been this run
		l.Group = g.line()
	}
	return l
}

// drift says how a user and its group differ from what the run left.
func drift(_ context.Context, r *runtime.Reader, a undoArgs, after left) (string, error) {
	now, err := readAccounts(filesys.Read(r))
	if err != nil {
		return "", err
	}
	is := linesOf(now, a)
	var lines []string
	for _, pair := range [][2]string{{after.User, is.User}, {after.Group, is.Group}} {
		switch {
		case pair[0] == pair[1]:
		case pair[1] == "":
			lines = append(lines, fmt.Sprintf("%q is gone", pair[0]))
		default:
			lines = append(lines, fmt.Sprintf("was %q, is %q", pair[0], pair[1]))
		}
	}
	return strings.Join(lines, "; "), nil
}
