package compose

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// A volume by another name is another volume; one with other options is never replaced, and that is said before anything
// changes. Only a path that is declared is mounted, however a volume's options put it.
func TestVolumes(t *testing.T) {
	b := newBed(t, composetest.Current)
	project := func(volume string) {
		b.file("compose.yaml", "name: shop\nservices:\n  site:\n    image: app:1\n    stop_grace_period: 0s\n    volumes: [\"data:/data\"]\nvolumes:\n  data: "+volume+"\n")
	}
	b.Grant("docker", "volume:shop_*", "host-path:"+b.Dir)
	project("{name: shop_one}")
	b.Run(up1).Want(events.Succeeded)
	state, settings := b.state(), b.settings()

	project("{name: shop_two}")
	if c := b.Preview(up1).Want(events.WouldChange).Changes()[0]; !strings.Contains(c.Diff, "(mounts: +shop_two at /data, -shop_one at /data)") {
		t.Errorf("the preview says %s\n%s", c.Summary, c.Diff)
	}
	b.Run(up1).Want(events.Succeeded)
	if m := b.containers()[0].Mounts; len(m) != 1 || m[0].Type != mount.TypeVolume || m[0].Name != "shop_two" {
		t.Errorf("mounted is %+v", m)
	}
	b.Rollback().Want(events.Restored)
	b.wantSame("put back,", state, settings)

	project("{name: shop_one, driver_opts: {type: none, o: bind, device: " + b.Dir + "}}")
	const other = "/compose.yaml:8: volume shop_one is there with driver local and options map[]"
	b.Preview(up1).Want(events.Refused).WantError(b.Dir + other)
	b.Run(up1).Want(events.Refused).WantError(b.Dir + other)
	project("{driver_opts: {type: overlay, o: \"lowerdir=/etc:/usr\", device: " + b.Dir + "}}")
	b.Run(up1).Want(events.DeniedRun).WantError("/compose.yaml:8: volume data mounts", "docker: volume-driver:local")
	b.wantSame("refused,", state, settings)
}

// Directories that the engine makes for a container go with it.
func TestMadeDirectories(t *testing.T) {
	for _, v := range composetest.Versions {
		b := newBed(t, v)
		b.Grant("docker", "host-path:"+b.Dir)
		b.file("file", "")
		b.file("compose.yaml", "name: shop\nservices:\n  site:\n    image: app:1\n    stop_grace_period: 0s\n"+
			"    volumes: [\"./made/deep:/one\", \"./made/other:/two\", \"./file:/three\"]\n")
		before := familytest.Tree(t, b.Dir)
		c := b.Preview(up1).Want(events.WouldChange).Changes()[0]
		if !strings.HasPrefix(c.Diff, "+ directory "+b.Dir+"/made, which") || strings.Count(c.Diff, "+ directory") != 3 {
			t.Errorf("%s: the preview says\n%s", v, c.Diff)
		}
		b.Run(up1 + "\nfail(\"no\")").Want(events.RolledBack)
		familytest.SameTree(t, string(v)+": rolled back,", familytest.Tree(t, b.Dir), before)
		b.Run(up1).Want(events.Succeeded)
		b.Preview(up1).Want(events.NoChange)
		b.e.Clean()
	}
}
