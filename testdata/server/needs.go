package server

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Unavailable is why this machine cannot do what a test needs.
type Unavailable string

func (u Unavailable) Error() string { return string(u) }

// Skip skips a test that this machine cannot run. Where CI is "true" nothing may be missing: there it fails the test.
func Skip(t testing.TB, why Unavailable) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("cannot run here, but must with CI=true: %v", why)
	}
	t.Skip(why.Error())
}

// Install brings Debian packages unless the commands are there for which they are needed. The tests of several packages
// may ask for some at the same moment.
func Install(packages string, commands ...string) error {
	if haveAll(commands) {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil || os.Geteuid() != 0 {
		return Unavailable(fmt.Sprintf("the test needs %s, and only root on Debian can install that", packages))
	}
	dir, err := Cache("apt")
	if err != nil {
		return err
	}
	installing, err := lock(filepath.Join(dir, "lock"), syscall.LOCK_EX)
	if err != nil {
		return err
	}
	defer installing.Close()
	if haveAll(commands) { // by now
		return nil
	}
	if err := aptGet("update"); err != nil {
		return err
	}
	return aptGet(append([]string{"install", "--yes", "--no-install-recommends"}, strings.Fields(packages)...)...)
}

func haveAll(commands []string) bool {
	for _, c := range commands {
		if _, err := exec.LookPath(c); err != nil {
			return false
		}
	}
	return true
}

// aptTimeout is how long apt-get waits for another one that is at work, such as the daily one of the machine.
const aptTimeout = 5 * time.Minute

func aptGet(args ...string) error {
	for deadline := time.Now().Add(aptTimeout); ; time.Sleep(time.Second) {
		cmd := exec.Command("apt-get", append([]string{"-q", "-o", fmt.Sprintf("DPkg::Lock::Timeout=%.0f", aptTimeout.Seconds())}, args...)...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C")
		out, err := cmd.CombinedOutput()
		if err == nil {
			return nil
		}
		// That timeout is for dpkg's lock alone: of the lists of packages apt-get says at once that somebody has them.
		if !strings.Contains(string(out), "Could not get lock") || time.Now().After(deadline) {
			return fmt.Errorf("apt-get %s: %w\n%s", args[0], err, out)
		}
	}
}

// lock waits for the lock on a file, which is held until the file is closed.
func lock(file string, how int) (*os.File, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		if errors.Is(err, syscall.EINTR) {
			continue
		}
		if err != nil {
			f.Close()
			return nil, fmt.Errorf("lock %s: %w", file, err)
		}
		return f, nil
	}
}
