package filesys

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// precious are directories that no recipe has a reason to remove, move or change as a whole. What is in them is
// another matter.
var precious = []string{
	"/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib32", "/lib64", "/libx32", "/media", "/mnt", "/opt", "/proc",
	"/root", "/run", "/sbin", "/snap", "/srv", "/sys", "/tmp", "/usr", "/var",
	"/etc/systemd", "/etc/systemd/system", "/etc/ssh", "/etc/ssl", "/etc/pam.d", "/etc/apt",
	"/usr/bin", "/usr/lib", "/usr/lib64", "/usr/libexec", "/usr/local", "/usr/local/bin", "/usr/local/lib", "/usr/local/sbin",
	"/usr/sbin", "/usr/share",
	"/var/cache", "/var/lib", "/var/lib/apt", "/var/lib/dpkg", "/var/lib/docker", "/var/lib/rpm", "/var/lib/systemd",
	"/var/log", "/var/run", "/var/spool", "/var/tmp",
	"/Applications", "/Library", "/System", "/Users", "/Volumes", "/private", "/private/etc", "/private/var",
}

// RefuseWhole fails for a path that must not be removed, moved or changed with all that is below it: the
// directories of the system, home directories, and what infrarun itself keeps. A recipe that asks for it has
// most likely joined a path with an empty variable.
func (v *View) RefuseWhole(path string) error {
	real, err := v.Resolve(path)
	if isNotExist(err) {
		return nil
	} else if err != nil {
		return err
	}
	for _, p := range []string{path, real} {
		if err := v.refuseWhole(p); err != nil {
			return err
		}
	}
	return nil
}

func (v *View) refuseWhole(path string) error {
	home, _ := os.UserHomeDir()
	switch {
	case slices.Contains(precious, path):
		return fmt.Errorf("%s is a directory of the system: it is not removed, moved or changed as a whole; name what is meant in it", path)
	case path == home, filepath.Dir(path) == "/home", filepath.Dir(path) == "/Users":
		return fmt.Errorf("%s is a home directory: it is not removed, moved or changed as a whole; name what is meant in it", path)
	case v.InTemp(path), v.InTemp(filepath.Dir(path)): // also a link that leads out of it
		return nil
	}
	state := v.state
	if real, err := evalLinks(state); err == nil {
		state = real
	}
	for _, s := range []string{v.state, state} {
		if within(s, path) || within(path, s) {
			return fmt.Errorf("%s holds what infrarun needs to roll back, in %s; leave that alone", path, s)
		}
	}
	return nil
}
