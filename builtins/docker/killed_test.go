//go:build failpoints

package docker_test

import (
	"archive/tar"
	"bytes"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// TestChild is the process that is killed.
func TestChild(t *testing.T) {
	familytest.Child(t, recipes)
}

// TestKilled kills a run, and a rollback, in the middle of replacing a container, and of filling a volume.
func TestKilled(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0, restart = "always")`).Want(events.Succeeded)
	before := f.Engine.State()
	replace := `docker.run("web", image = "app:1", stop_timeout = 0, env = {"A": "b"}, volumes = ["new:/new"])`
	for _, place := range []string{"docker.after-create", "docker.after-stop", "docker.after-aside"} {
		f.KilledAt(replace, place)
		f.Rollback().Want(events.Restored)
		f.same("killed at "+place, before)
	}
	for _, place := range []string{"docker.undo-after-remove", "docker.undo-after-rename"} {
		f.Run(replace).Want(events.Succeeded)
		f.KilledAt("", place)
		f.Rollback().Want(events.Restored)
		f.same("killed at "+place, before)
	}
	for _, place := range []string{"docker.after-save", "docker.after-helper"} {
		f.Run(`docker.volume("more")`).Want(events.Succeeded)
		with := f.Engine.State()
		f.KilledAt(`docker.remove_volume("more")`, place)
		f.Rollback().Want(events.Restored)
		f.same("killed at "+place, with)
		f.KilledAt("", "docker.after-helper") // the rollback that takes the volume away
		f.Rollback().Want(events.Restored)
		f.same("killed while a volume was taken away", before)
	}
	f.KilledAt(`docker.restore_volume("data", DIR + "/data.tar.gz")`, "docker.after-empty")
	f.Rollback().Want(events.Restored)
	f.same("killed while a volume was empty", before)
	if got := f.content(); got != newContent {
		t.Errorf("killed while the volume was empty, it holds %q", got)
	}
	if c := f.Container("web"); c.HostConfig.RestartPolicy.Name != "always" {
		t.Errorf("its restart policy is %q", c.HostConfig.RestartPolicy.Name)
	}
}

// TestKilledBeforeRemoval: a volume that was saved, but not removed, is left alone: somebody may have written to it since.
func TestKilledBeforeRemoval(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	f.Run(`docker.volume("data")`).Want(events.Succeeded)
	f.KilledAt(`docker.remove_volume("data")`, "docker.after-save")
	id := f.create("db", onVolume("data"), nil)
	f.put(id, "file", "written since")
	f.Rollback().Want(events.Restored)
	if got := f.content(); got != "file 640: written since\n" {
		t.Errorf("the volume holds %q", got)
	}
}

// put writes a file to /data of a container that has it.
func (f *fixture) put(id, name, text string) {
	f.t.Helper()
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	header := &tar.Header{Name: name, Mode: 0o640, Size: int64(len(text))}
	if err := w.WriteHeader(header); err != nil {
		f.t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		f.t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		f.t.Fatal(err)
	}
	err := f.API.CopyToContainer(f.t.Context(), id, "/data", &packed, container.CopyToContainerOptions{})
	if err != nil {
		f.t.Fatal(err)
	}
}
