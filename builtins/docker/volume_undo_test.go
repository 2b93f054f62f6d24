package docker_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime/events"
)

// TestDamagedBackup: a volume is emptied only for a backup that can be read to its end.
func TestDamagedBackup(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	before := f.Engine.State()
	whole, err := os.ReadFile(filepath.Join(f.Dir, "data.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	f.write("short.tar.gz", string(whole[:len(whole)-5]))
	f.write("text", strings.Repeat("no backup ", 100))
	f.Preview(`docker.restore_volume("data", DIR + "/text")`).Want(events.Refused).WantError("text is no backup of a volume")
	f.Run(`docker.restore_volume("data", DIR + "/short.tar.gz")`).Want(events.Refused).WantError("short.tar.gz is no backup of a volume, or is damaged")
	f.same("after what was refused", before)
	if got := f.content(); got != newContent {
		t.Errorf("the volume holds %q", got)
	}
}

// TestUndoOfVolumeInUse does not take away what a container that runs works with.
func TestUndoOfVolumeInUse(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	f.Run(`docker.restore_volume("data", DIR + "/data.tar.gz")`).Want(events.Succeeded)
	id := f.create("stranger", onVolume("data"), nil)
	f.start(id)
	r := f.Rollback().Want(events.Incomplete)
	if len(r.Outcome.Left) != 1 || !strings.Contains(r.Outcome.Left[0].Error, "containers that run have it: stranger") {
		t.Errorf("what is left is %+v", r.Outcome.Left)
	}
	if got := f.content(); got != oldContent {
		t.Errorf("the volume of a container that runs holds %q", got)
	}
	if err := f.API.ContainerRemove(t.Context(), id, container.RemoveOptions{Force: true}); err != nil {
		t.Fatal(err)
	}
	f.Rollback().Want(events.Restored)
	if got := f.content(); got != newContent {
		t.Errorf("the volume holds %q", got)
	}
}

// TestVolumeOptions: they mount what they like, and may have a password in them.
func TestVolumeOptions(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	empty := f.Engine.State()
	for options, want := range map[string]string{
		`{"type": "none", "o": "bind", "device": "/etc"}`:                     "docker: host-path:/etc",
		`{"type": "none", "o": "bind", "device": "etc"}`:                      "docker: volume-driver:local",
		`{"type": "overlay", "device": "overlay", "o": "lowerdir=/etc:/usr"}`: "docker: volume-driver:local",
		`{"type": "nfs", "device": ":/data", "o": "addr=127.0.0.1"}`:          "docker: volume-driver:local",
		`{"type": "tmpfs", "device": "etc", "o": "bind"}`:                     "docker: volume-driver:local",
	} {
		f.Run(`docker.volume("share", options = ` + options + `)`).Want(events.DeniedRun).WantError(want)
	}
	f.same("after what was refused", empty)
	f.Run(`docker.volume("share", options = {"type": "tmpfs", "device": "tmpfs", "o": "size=" + "12345" + "67"})`).Want(events.Succeeded)
	r := f.Run(`docker.volume("share")`).Want(events.Refused).WantError("other options: device, o, type")
	if strings.Contains(r.Outcome.Error, "1234567") {
		t.Errorf("the error tells what the options say: %s", r.Outcome.Error)
	}
	f.Run(`docker.remove_volume("share")`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	if v, err := f.API.VolumeInspect(t.Context(), "share"); err != nil || v.Options["o"] != "size=1234567" {
		t.Errorf("the volume is back as %+v, %v", v, err)
	}
	f.NoTrace("1234567")
	// What a device holds is not copied to the run's directory; here it cannot even be reached.
	f.Grant("docker", "host-path:"+f.Dir)
	before := f.Engine.State()
	f.Run(`docker.volume("far", options = {"type": "none", "o": "bind", "device": DIR + "/none"})
fail("a later step fails")`).Want(events.RolledBack)
	f.same("after the rollback", before)
}

// TestNamelessVolume: what a new container wrote to a volume of its image's is saved before the undo removes it.
func TestNamelessVolume(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1", "VOLUME /data")
	empty := f.Engine.State()
	f.Run(`
docker.run("db", image = "app:1", stop_timeout = 0)
docker.exec("db", ["/app", "write", "/data/file", "only here"])
fail("a later step fails")`).Want(events.RolledBack)
	f.same("after the rollback", empty)
	if !kept(t, f, "trash", "only here") {
		t.Error("what the volume held was not saved")
	}
}
