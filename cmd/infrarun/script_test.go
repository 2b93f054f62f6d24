package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"infrarun": main, "terminal": terminal})
}

// TestScripts runs the scripts in testdata/script, which read like terminal sessions. In them infrarun
// is this test binary. See script_commands_test.go for the commands that they have besides those of
// testscript.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("..", "..", "testdata", "script"),
		UpdateScripts:       os.Getenv("UPDATE_SCRIPTS") != "",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup:               setup,
		Condition:           condition,
		Cmds:                scriptCommands,
	})
}

// setup gives a script a state directory and an environment of its own.
func setup(env *testscript.Env) error {
	home := filepath.Join(env.WorkDir, ".home")
	env.Setenv("HOME", home)
	env.Setenv("INFRARUN_STATE_DIR", filepath.Join(env.WorkDir, ".state"))
	env.Setenv("TERM", "xterm")
	env.Setenv("TZ", "UTC")
	env.Setenv("GORACE", "atexit_sleep_ms=0") // each command would end with a second of sleep
	return os.Mkdir(home, 0o755)
}

// condition tells scripts what this machine can do. With CI=true it must be able to do everything.
func condition(name string) (bool, error) {
	able, err := false, error(nil)
	switch name {
	case "root":
		able = os.Geteuid() == 0
	case "failpoints":
		able = failpoints
	case "tmpfs":
		able = canMount()
	case "zsh", "fish":
		_, missing := exec.LookPath(name)
		able = missing == nil
	default:
		return false, fmt.Errorf("there is no condition %q", name)
	}
	if !able && os.Getenv("CI") == "true" {
		err = fmt.Errorf("CI=true, and %q does not hold here", name)
	}
	return able, err
}

// canMount reports whether a small file system can be mounted.
func canMount() bool {
	dir, err := os.MkdirTemp("", "infrarun-mount-")
	if err != nil {
		return false
	}
	defer os.Remove(dir)
	if err := mountTmpfs(dir, "64k"); err != nil {
		return false
	}
	return unix.Unmount(dir, unix.MNT_DETACH) == nil
}

func mountTmpfs(dir, size string) error {
	if os.Geteuid() != 0 {
		return errors.New("only root can mount")
	}
	return unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "size="+size)
}
