package filesys

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// Names and numbers are looked up in /etc/passwd and /etc/group as the view has them, so that a preview knows the users
// that the run would make, and then as the machine does it: users of a directory on the network stand in no file.

// LookupOwner turns the names of a user and a group into their numbers. Either may be a number already; an empty
// one becomes [Keep].
func (v *View) LookupOwner(owner, group string) (uid, gid int, err error) {
	if uid, err = lookupID(owner, "user", v.userID); err != nil {
		return 0, 0, err
	}
	gid, err = lookupID(group, "group", v.groupID)
	return uid, gid, err
}

// LookupOwner is [View.LookupOwner] on the machine as it is.
func LookupOwner(owner, group string) (uid, gid int, err error) {
	return Machine().LookupOwner(owner, group)
}

func lookupID(name, what string, lookup func(string) (int, error)) (int, error) {
	if name == "" {
		return Keep, nil
	}
	if id, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(id), nil
	}
	id, err := lookup(name)
	var noUser user.UnknownUserError
	var noGroup user.UnknownGroupError
	if errors.As(err, &noUser) || errors.As(err, &noGroup) {
		return 0, fmt.Errorf("there is no %s %s on this machine; make it first", what, name)
	}
	if err != nil {
		return 0, fmt.Errorf("look up the %s %s: %w", what, name, err)
	}
	return id, nil
}

func (v *View) userID(name string) (int, error) {
	a, ok, unread := v.Account(name)
	if ok {
		return a.UID, nil
	}
	u, err := user.Lookup(name)
	switch {
	case err == nil:
		return strconv.Atoi(u.Uid)
	case unread != nil:
		return 0, unread
	}
	return 0, err
}

func (v *View) groupID(name string) (int, error) {
	found, ok, unread := v.group(func(g accountGroup) bool { return g.name == name })
	if ok {
		return found.gid, nil
	}
	g, err := user.LookupGroup(name)
	switch {
	case err == nil:
		return strconv.Atoi(g.Gid)
	case unread != nil:
		return 0, unread
	}
	return 0, err
}

// UserName returns the name of a user, the number itself if it has none.
func (v *View) UserName(uid int) string {
	if a, ok, _ := v.AccountOf(uid); ok {
		return a.Name
	}
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// UserName is [View.UserName] on the machine as it is.
func UserName(uid int) string { return Machine().UserName(uid) }

// GroupName returns the name of a group, the number itself if it has none.
func (v *View) GroupName(gid int) string {
	if g, ok, _ := v.group(func(g accountGroup) bool { return g.gid == gid }); ok {
		return g.name
	}
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return strconv.Itoa(gid)
}

// GroupName is [View.GroupName] on the machine as it is.
func GroupName(gid int) string { return Machine().GroupName(gid) }
