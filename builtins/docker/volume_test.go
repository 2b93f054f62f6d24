package docker_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/runtime/events"
)

// volumes makes volumes: data with a file in it, and the backup of it.
func volumes(f *fixture) {
	f.Image("app:1")
	f.Run(`
docker.run("db", image = "app:1", stop_timeout = 0, volumes = ["data:/data"])
docker.exec("db", ["/app", "write", "/data/file", "one"])
b = docker.backup_volume("data", DIR + "/data.tar.gz")
test.equal((b.path, b.size > 0, b.in_use), (DIR + "/data.tar.gz", True, ["db"]))
docker.exec("db", ["/app", "write", "/data/file", "two"])
docker.exec("db", ["/app", "write", "/data/more", "not in the backup"])
docker.stop("db")
`).Want(events.Succeeded)
}

// content returns all that the files of the volume data hold, by name.
func (f *fixture) content() string {
	f.t.Helper()
	packed, _, err := f.API.CopyFromContainer(context.Background(), "db", "/data/.")
	if err != nil {
		f.t.Fatal(err)
	}
	defer packed.Close()
	all := ""
	for r := tar.NewReader(packed); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			f.t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			f.t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			all += fmt.Sprintf("%s %o: %s\n", path.Base(h.Name), h.Mode&0o777, text)
		}
	}
}

// What the volume data holds after volumes, and what the backup of it holds.
const (
	newContent = "file 640: two\nmore 640: not in the backup\n"
	oldContent = "file 640: one\n"
)

func TestRestoreVolume(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	before := f.Engine.State()
	recipe := `docker.restore_volume("data", DIR + "/data.tar.gz")`
	f.Preview(recipe).Want(events.WouldChange)
	r := f.Run(recipe).Want(events.Succeeded)
	var done []string
	for _, e := range r.Events(events.Progress) {
		if e.Progress.Done && e.Progress.Current > 0 {
			done = append(done, e.Progress.What)
		}
	}
	if want := []string{"copy volume data", "fill volume data"}; !slices.Equal(done, want) {
		t.Errorf("how far it had come was shown of %q, want %q", done, want)
	}
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
	if got := f.content(); got != newContent {
		t.Errorf("after the rollback the volume holds %q", got)
	}
	f.UndoTwice(recipe)
	if got := f.content(); got != newContent {
		t.Errorf("undone twice the volume holds %q", got)
	}
	f.Run(recipe).Want(events.Succeeded)
	if got := f.content(); got != oldContent {
		t.Errorf("restored, the volume holds %q", got)
	}
	f.Run("docker.start(\"db\")\n" + recipe).WantError("containers that run have it: db")
	f.Run(`docker.restore_volume("data", DIR + "/none.tar")`).Want(events.Refused).WantError("there is no backup")
}

// TestRestoreNewVolume makes the volume of a backup; undone, it is gone, and what it held was saved.
func TestRestoreNewVolume(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	before := f.Engine.State()
	f.Run(`docker.restore_volume("other", DIR + "/data.tar.gz")` + "\n" + `docker.volume("third")`).Want(events.Succeeded)
	if v, err := f.API.VolumeInspect(context.Background(), "other"); err != nil || v.Name != "other" {
		t.Fatalf("there is no volume: %v", err)
	}
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
	if !kept(t, f, "trash", "one") {
		t.Error("what the volume held was not saved")
	}
}

func TestRemoveVolume(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	f.Run(`docker.remove_volume("data")`).Want(events.Refused).WantError("containers have it: db")
	f.Run(`docker.restore_volume("free", DIR + "/data.tar.gz")`).Want(events.Succeeded)
	before := f.Engine.State()
	recipe := `docker.remove_volume("free")`
	f.Preview(recipe + "\n" + `test.equal(docker.remove_volume("free").changed, False)`).Want(events.WouldChange)
	f.same("after a preview", before)
	f.UndoTwice(recipe)
	f.same("undone twice", before)
	f.Run(`docker.run("reader", image = "app:1", stop_timeout = 0, volumes = ["free:/data:ro"])
test.equal(docker.exec("reader", ["/app", "cat", "/data/file"]).stdout, "one")`).Want(events.Succeeded)
}

func TestBackupUndone(t *testing.T) {
	f := newFixture(t)
	volumes(f)
	before := f.Engine.State()
	f.UndoTwice(`docker.backup_volume("data", DIR + "/second.tar")`)
	f.BreakEverywhere(`docker.backup_volume("data", DIR + "/second.tar")`)
	f.same("after the rollbacks", before)
	f.Run(`docker.backup_volume("data", DIR + "/data.tar.gz")`).Want(events.Refused).WantError("is there already")
	f.Run(`docker.backup_volume("none", DIR + "/none.tar")`).Want(events.Refused).WantError("there is no volume none")
	f.Run(`docker.backup_volume("data", "/etc/none.tar")`).Want(events.DeniedRun).WantError("fs.write: /etc/none.tar")
}

func TestNetworks(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1")
	empty := f.Engine.State()
	recipe := `docker.network("front", subnet = "10.99.7.0/24", internal = True, labels = {"a": "b"})`
	f.Preview(recipe).Want(events.WouldChange)
	f.UndoTwice(recipe)
	f.same("undone twice", empty)
	f.Run(recipe + "\n" + `docker.run("web", image = "app:1", stop_timeout = 0, network = "front", aliases = ["www"])`).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
	f.Run(`docker.network("front")`).Want(events.Refused).WantError("internal is true")
	f.Run(`docker.remove_network("front")`).Want(events.Refused).WantError("containers are in it: web")
	f.Run(`docker.run("other", image = "app:1", stop_timeout = 0, network = "none-such")`).Want(events.Refused).WantError("there is no network none-such")
	f.Run(`docker.remove("web")`).Want(events.Succeeded)
	f.Run(`docker.remove_network("front")`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.Preview(recipe).Want(events.NoChange)
}

func TestPrune(t *testing.T) {
	f := newFixture(t)
	for _, version := range []string{"1", "2", "3", "4", "5"} {
		f.Image("app:"+version, "ENV VERSION="+version)
	}
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	f.Run(`docker.run("web", image = "app:2", stop_timeout = 0)`).Want(events.Succeeded) // its undo needs image 1
	recipe := `p = docker.prune(images = ["app"], keep = 1)` + "\n"
	f.Preview(recipe).Want(events.WouldChange)
	f.Run(recipe + `test.equal((len(p.images), p.containers), (2, []))`).Want(events.Succeeded)
	for _, stays := range []string{"app:1", "app:2"} {
		if f.ImageID(stays) == "" {
			t.Errorf("%s, which is needed, was removed", stays)
		}
	}
	f.Preview(recipe).Want(events.NoChange)
	f.Run(`docker.prune(images = ["app:1"])`).Want(events.Refused).WantError("without a tag, app")
	f.Run(`docker.prune(images = ["app"], keep = 0)`).Want(events.Refused)
}

// TestPruneNameless removes images without a name, of a certain age and with certain labels.
func TestPruneNameless(t *testing.T) {
	f := newFixture(t)
	plain := f.Image("lost:1", "ENV N=1")
	ours := f.Image("lost:1", "ENV N=2", "LABEL built=here")
	theirs := f.Image("lost:1", "ENV N=3", "LABEL built=there")
	used := f.Image("lost:1", "ENV N=4", "LABEL built=here")
	f.Run(`docker.run("web", image = "` + used + `", stop_timeout = 0)`).Want(events.Succeeded)
	f.Image("lost:1", "ENV N=5", "LABEL built=here") // which has a name
	there := func(want ...string) {
		t.Helper()
		for _, id := range []string{plain, ours, theirs} {
			if got := f.ImageID(id) != ""; got != slices.Contains(want, id) {
				t.Errorf("image %s is there: %v", id, got)
			}
		}
		if f.ImageID(used) == "" || f.ImageID("lost:1") == "" {
			t.Error("an image that is used, or has a name, was removed")
		}
	}
	f.Run(`docker.prune(labels = {"built": ""})`).Want(events.Refused).WantError("they need nameless = True")
	f.Run("docker.prune()").Want(events.Succeeded)
	f.Preview(`docker.prune(nameless = True, older_than = "1h")`).Want(events.NoChange)
	recipe := `p = docker.prune(nameless = True, older_than = 0.001, labels = {"built": "here"})` + "\n"
	if c := f.Preview(recipe).Want(events.WouldChange).Changes()[0]; c.Undo != "none" || !strings.Contains(c.Summary, ours) {
		t.Errorf("the preview says %+v", c)
	}
	there(plain, ours, theirs)
	f.Run(recipe + `test.equal(p.images, ["` + ours + `"])`).Want(events.Succeeded)
	there(plain, theirs)
	f.Run(`docker.prune(nameless = True, labels = {"built": ""})`).Want(events.Succeeded)
	there(plain)
	f.Run(`docker.prune(nameless = True)`).Want(events.Succeeded)
	there()
}

// TestPruneOfOldRuns removes what runs have set aside whose journals are gone.
func TestPruneOfOldRuns(t *testing.T) {
	f := newFixture(t)
	f.Image("app:1", "ENV VERSION=1")
	f.Image("app:2", "ENV VERSION=2")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	f.Run(`docker.run("web", image = "app:2", stop_timeout = 0)`).Want(events.Succeeded)
	f.Run("docker.prune()").Want(events.Succeeded)
	if !strings.Contains(f.Engine.State(), "infrarun-kept.") || !strings.Contains(f.Engine.State(), "infrarun/keep:") {
		t.Fatalf("what the undo needs was removed:\n%s", f.Engine.State())
	}
	forgetRuns(t, f)
	for _, c := range f.aside() {
		f.start(c)
	}
	f.Run(`test.equal(docker.prune().containers, [])`).Want(events.Succeeded) // somebody has started it by hand
	for _, c := range f.aside() {
		if err := f.API.ContainerStop(t.Context(), c, container.StopOptions{Timeout: new(int)}); err != nil {
			t.Fatal(err)
		}
	}
	f.Run("docker.prune()").Want(events.Succeeded)
	if strings.Contains(f.Engine.State(), "infrarun") {
		t.Errorf("what no undo needs is still there:\n%s", f.Engine.State())
	}
	if f.ImageID("app:1") == "" {
		t.Error("an image was removed that nobody has named")
	}
}

// TestPruneSparesOtherStates: two operators can have a state directory each, and one engine.
func TestPruneSparesOtherStates(t *testing.T) {
	f := newFixture(t)
	image := f.Image("app:1", "ENV VERSION=1")
	f.Image("app:2", "ENV VERSION=2")
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	id := f.Container("web").ID
	f.Run(`
docker.run("web", image = "app:2", stop_timeout = 0)
docker.tag("app:2", "app:1")`).Want(events.Succeeded)
	before := f.Engine.State()
	recipes(t).Run(`docker.prune(images = ["app"], keep = 1, nameless = True)`).Want(events.Succeeded)
	f.same("after a prune with another state directory", before)
	f.Rollback().Want(events.Restored)
	if now := f.Container("web"); now.ID != id || !now.State.Running {
		t.Errorf("the container that is back is %s, running %v, want %s", now.ID, now.State.Running, id)
	}
	if got := f.ImageID("app:1"); got != image {
		t.Errorf("app:1 is %s, want %s", got, image)
	}
}
