package filesys

import (
	"strconv"
	"strings"
)

const (
	passwdFile = "/etc/passwd"
	groupFile  = "/etc/group"
	// maxAccounts is how large such a file may be, in bytes.
	maxAccounts = 64 << 20
)

// Account is a user of the machine, a line of /etc/passwd.
type Account struct {
	Name     string
	UID, GID int
	Home     string
	Shell    string
}

// Account returns the user of a name; in a preview also one that the run would make. Users of a directory on the
// network are not found. The error is that /etc/passwd cannot be read.
func (v *View) Account(name string) (Account, bool, error) {
	return v.account(func(a Account) bool { return a.Name == name })
}

// AccountOf is Account by number.
func (v *View) AccountOf(uid int) (Account, bool, error) {
	return v.account(func(a Account) bool { return a.UID == uid })
}

func (v *View) account(is func(Account) bool) (Account, bool, error) {
	text, err := v.ReadFile(passwdFile, maxAccounts)
	if err != nil {
		return Account{}, false, ignoreNotExist(err)
	}
	a, ok := findAccount(string(text), is)
	return a, ok, nil
}

// findAccount returns the first user in a passwd(5) file that is the one. Lines that it does not understand are passed
// over.
func findAccount(passwd string, is func(Account) bool) (Account, bool) {
	for line := range strings.Lines(passwd) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 7 || f[0] == "" {
			continue
		}
		uid, uerr := accountID(f[2])
		gid, gerr := accountID(f[3])
		a := Account{f[0], uid, gid, f[5], f[6]}
		if uerr == nil && gerr == nil && is(a) {
			return a, true
		}
	}
	return Account{}, false
}

// accountGroup is a line of /etc/group, without its members.
type accountGroup struct {
	name string
	gid  int
}

func (v *View) group(is func(accountGroup) bool) (accountGroup, bool, error) {
	text, err := v.ReadFile(groupFile, maxAccounts)
	if err != nil {
		return accountGroup{}, false, ignoreNotExist(err)
	}
	g, ok := findGroup(string(text), is)
	return g, ok, nil
}

// findGroup is findAccount for a group(5) file.
func findGroup(groups string, is func(accountGroup) bool) (accountGroup, bool) {
	for line := range strings.Lines(groups) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 4 || f[0] == "" {
			continue
		}
		gid, err := accountID(f[2])
		if g := (accountGroup{f[0], gid}); err == nil && is(g) {
			return g, true
		}
	}
	return accountGroup{}, false
}

// accountID reads the number of a user or group. The highest one of 32 bits is none: to the system it means "keep".
func accountID(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err == nil && n == 1<<32-1 {
		err = strconv.ErrRange
	}
	return int(n), err
}
