package child

import (
	"fmt"
	"maps"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
)

// ownPrefix begins the names of the variables that are infrarun's own: parameters of a recipe, which
// may be secrets, and markers. They are not inherited.
const ownPrefix = "INFRARUN_"

// CheckEnv refuses variables that an environment cannot hold.
func CheckEnv(env map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(env)) {
		switch {
		case name == "" || strings.ContainsAny(name, "=\x00"):
			return fmt.Errorf("env: %q is no name of a variable", name)
		case strings.ContainsRune(env[name], 0):
			return fmt.Errorf("env: the value of %s holds a NUL byte", name)
		}
	}
	return nil
}

// environ makes the environment of a command: what is inherited without what is infrarun's own, what
// belongs to its user, its working directory, what it was given, and the marker. What comes later wins.
func environ(inherited []string, ofUser map[string]string, s Spec, marker string) []string {
	all := map[string]string{}
	for _, entry := range inherited {
		if name, value, ok := strings.Cut(entry, "="); ok && !strings.HasPrefix(name, ownPrefix) {
			all[name] = value
		}
	}
	maps.Copy(all, ofUser)
	if s.Dir != "" {
		all["PWD"] = s.Dir
	}
	maps.Copy(all, s.Env)
	if name, value, ok := strings.Cut(marker, "="); ok {
		all[name] = value
	}
	env := make([]string, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		env = append(env, name+"="+all[name])
	}
	return env
}

// FindUser returns a user by name or number; in the view of a preview also one that the run would make.
func FindUser(v *filesys.View, name string) (*user.User, error) {
	a, ok, unread := v.Account(name)
	uid, nerr := strconv.ParseUint(name, 10, 32)
	if !ok && nerr == nil {
		a, ok, unread = v.AccountOf(int(uid))
	}
	if ok {
		return &user.User{Uid: strconv.Itoa(a.UID), Gid: strconv.Itoa(a.GID), Username: a.Name, Name: a.Name, HomeDir: a.Home}, nil
	}
	// Users of a directory on the network stand in no file.
	u, err := user.Lookup(name)
	if err != nil && nerr == nil {
		u, err = user.LookupId(name)
	}
	switch {
	case err == nil:
		return u, nil
	case unread != nil:
		return nil, fmt.Errorf("look up the user %q: %w", name, unread)
	}
	return nil, fmt.Errorf("there is no user %q on this machine", name)
}

// Switches reports whether running something as a user needs another user id than infrarun has, which
// root alone may take on; for anyone else it is an error.
func Switches(u *user.User) (bool, error) {
	euid := os.Geteuid()
	if u.Uid == strconv.Itoa(euid) {
		return false, nil
	}
	if euid != 0 {
		return false, fmt.Errorf("only root can run something as user %s; infrarun runs with user id %d", u.Username, euid)
	}
	return true, nil
}

// UserEnv returns the variables that tell a process whose it is.
func UserEnv(u *user.User) map[string]string {
	return map[string]string{"HOME": u.HomeDir, "USER": u.Username, "LOGNAME": u.Username}
}

// userOf returns what the kernel needs to run something as a user, nil where nothing changes, and the
// variables that go with it.
func userOf(name string) (*syscall.Credential, map[string]string, error) {
	if name == "" {
		return nil, nil, nil
	}
	u, err := FindUser(filesys.Machine(), name)
	if err != nil {
		return nil, nil, err
	}
	switches, err := Switches(u)
	if err != nil || !switches {
		return nil, UserEnv(u), err
	}
	groups, err := u.GroupIds()
	if err != nil {
		return nil, nil, fmt.Errorf("find the groups of user %s: %w", name, err)
	}
	ids := make([]uint32, 0, len(groups)+2)
	for _, text := range append([]string{u.Uid, u.Gid}, groups...) {
		id, err := strconv.ParseUint(text, 10, 32)
		if err != nil {
			return nil, nil, fmt.Errorf("user %s: id %q is no number: %w", name, text, err)
		}
		ids = append(ids, uint32(id))
	}
	return &syscall.Credential{Uid: ids[0], Gid: ids[1], Groups: ids[2:]}, UserEnv(u), nil
}
