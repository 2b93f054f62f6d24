//go:build failpoints

package docker_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

const (
	childBase   = "DOCKER_TEST_BASE" // the fixture's directories
	childRecipe = "DOCKER_TEST_RECIPE"
)

// TestChild is the process that is killed. It does nothing unless it is told to.
func TestChild(t *testing.T) {
	base, recipe := os.Getenv(childBase), os.Getenv(childRecipe)
	if base == "" {
		return
	}
	f := recipes(t)
	f.Reopen(base)
	if recipe == "" {
		f.Rollback().Want(events.Restored)
		return
	}
	f.Run(recipe).Want(events.Succeeded)
}

// kill runs this binary again, with a recipe or for a rollback, and has it killed at a place.
func kill(t *testing.T, f *fixture, recipe, place string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childBase+"="+f.Base(), childRecipe+"="+recipe, failpoint.Variable+"="+place+"=kill")
	out, err := cmd.CombinedOutput()
	if st, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !st.Signaled() || st.Signal() != syscall.SIGKILL {
		t.Fatalf("the child was not killed at %s: %v\n%s", place, err, out)
	}
}

// TestKilled kills a run, and a rollback, in the middle of replacing a container, and of filling a volume.
func TestKilled(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, restart = "always")`).Want(events.Succeeded)
	before := f.Engine.State()
	replace := `docker.run("web", image = "app:1", stop_timeout = 0, env = {"A": "b"}, volumes = ["new:/new"])`
	for _, place := range []string{"docker.after-create", "docker.after-stop", "docker.after-aside"} {
		kill(t, f, replace, place)
		f.Rollback().Want(events.Restored)
		f.same("killed at "+place, before)
	}
	for _, place := range []string{"docker.undo-after-remove", "docker.undo-after-rename"} {
		f.Run(replace).Want(events.Succeeded)
		kill(t, f, "", place)
		f.Rollback().Want(events.Restored)
		f.same("killed at "+place, before)
	}
	kill(t, f, `docker.restore_volume("data", DIR + "/data.tar.gz")`, "docker.after-empty")
	f.Rollback().Want(events.Restored)
	f.same("killed while a volume was empty", before)
	if got := f.content(); got != newContent {
		t.Errorf("killed while the volume was empty, it holds %q", got)
	}
	if c := f.Container("web"); c.HostConfig.RestartPolicy.Name != "always" {
		t.Errorf("its restart policy is %q", c.HostConfig.RestartPolicy.Name)
	}
}
