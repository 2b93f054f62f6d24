package filesys

import (
	"errors"
	"fmt"
	"os/user"
	"strconv"
)

// LookupOwner turns the names of a user and a group into their numbers. Either may be a number already; an empty
// one becomes [Keep].
func LookupOwner(owner, group string) (uid, gid int, err error) {
	uid, err = lookupID(owner, "user", func(name string) (string, error) {
		u, err := user.Lookup(name)
		if err != nil {
			return "", err
		}
		return u.Uid, nil
	})
	if err != nil {
		return 0, 0, err
	}
	gid, err = lookupID(group, "group", func(name string) (string, error) {
		g, err := user.LookupGroup(name)
		if err != nil {
			return "", err
		}
		return g.Gid, nil
	})
	return uid, gid, err
}

func lookupID(name, what string, lookup func(string) (string, error)) (int, error) {
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
	return strconv.Atoi(id)
}

// UserName returns the name of a user, the number itself if it has none.
func UserName(uid int) string {
	if u, err := user.LookupId(strconv.Itoa(uid)); err == nil {
		return u.Username
	}
	return strconv.Itoa(uid)
}

// GroupName returns the name of a group, the number itself if it has none.
func GroupName(gid int) string {
	if g, err := user.LookupGroupId(strconv.Itoa(gid)); err == nil {
		return g.Name
	}
	return strconv.Itoa(gid)
}
