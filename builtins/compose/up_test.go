package compose

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

const up1 = `compose.up(DIR, steady = 0.2, timeout = 30)`

func TestUp(t *testing.T) {
	for _, v := range composetest.Versions {
		t.Run(string(v), func(t *testing.T) {
			b := newBed(t, v)
			b.shop()
			empty := b.state()
			c := b.Preview(up1).Want(events.WouldChange).Changes()[0]
			if want := "+ create db\n+ create prepare\n+ create site\n"; c.Diff != want || !strings.HasPrefix(c.Summary, "create 3, by ") {
				t.Errorf("the preview says %s\n%s", c.Summary, c.Diff)
			}
			if s := b.state(); s != empty {
				t.Fatalf("the preview changed the engine:\n%s", s)
			}
			b.Run(up1).Want(events.Succeeded)
			b.wantGiven()
			first, all := b.ids(), b.e.State()
			if c := b.Run(up1).Want(events.Succeeded).Changes()[0]; c.Status != events.Unchanged {
				t.Fatalf("again: %+v", c)
			}
			b.Preview(up1).Want(events.NoChange)
			if s := b.e.State(); s != all {
				t.Fatalf("a second time changed the engine:\n%s\nwas\n%s", s, all)
			}
			state, settings := b.state(), b.settings()

			const blue = `compose.up(DIR, env = {"COLOR": "blue", "PASSWORD": "correcthorse"}, steady = 0.2, timeout = 30)`
			c = b.Preview(blue).Want(events.WouldChange).Changes()[0]
			if !strings.HasSuffix(c.Diff, "(environment: COLOR, PASSWORD)\n") || !strings.HasPrefix(c.Diff, "~ recreate shop") || c.Assumed == "" {
				t.Errorf("the preview says %s\n%s", c.Summary, c.Diff)
			}
			b.Run(blue).Want(events.Succeeded)
			second := b.ids()
			if second["site"] == first["site"] {
				t.Error("the site is the same container")
			}
			delete(first, "site")
			delete(second, "site")
			if !maps.Equal(first, second) {
				t.Errorf("other containers changed: %v, were %v", second, first)
			}
			b.Rollback().Want(events.Restored)
			b.wantSame("put back,", state, settings)
			b.Preview(up1).Want(events.NoChange)
			b.NoTrace("correcthorse")
		})
	}
}

// A container that shares another's network is made anew with it, one that was stopped is started, an orphan goes.
func TestUpWhatBelongsTogether(t *testing.T) {
	b := newBed(t, composetest.Current)
	const project = "name: shop\nservices:\n  site: {image: \"app:1\", environment: {V: \"1\"}}\n" +
		"  beside: {image: \"app:1\", environment: {PORT: \"81\"}, network_mode: \"service:site\"}\n" +
		"  other: {image: \"app:1\", restart: always}\n"
	b.file("compose.yaml", project+"  old: {image: \"app:1\"}\n")
	b.Run(up1).Want(events.Succeeded)
	ids, state := b.ids(), b.state()
	if err := b.e.API.ContainerKill(t.Context(), "shop-other-1", "KILL"); err != nil {
		t.Fatal(err)
	}
	b.file("compose.yaml", strings.Replace(project, "V: \"1\"", "V: \"2\"", 1))
	b.Run(up1).Want(events.Succeeded)
	now := b.ids()
	if now["site"] == ids["site"] || now["beside"] == ids["beside"] || now["other"] != ids["other"] || now["old"] != "" {
		t.Errorf("containers are %v, were %v", now, ids)
	}
	if mode := b.e.Container("shop-beside-1").HostConfig.NetworkMode; !strings.HasPrefix(string(mode), "container:"+now["site"]) {
		t.Errorf("beside is in the network %s", mode)
	}
	b.Rollback().Want(events.Restored)
	if s := strings.Replace(b.state(), "shop-other-1 exited", "shop-other-1 running", 1); s != state {
		t.Errorf("put back, the engine has\n%s\nwas\n%s", s, state)
	}
	if mode := b.e.Container("shop-beside-1").HostConfig.NetworkMode; !strings.HasPrefix(string(mode), "container:"+b.ids()["site"]) {
		t.Errorf("put back, beside is in the network %s", mode)
	}
	b.Run(`compose.up(DIR, services = ["none"])`).Want(events.Refused).WantError(`the project has no service "none"; it has beside, other, site`)
	b.Run(`compose.up(DIR, timeout = 5, env = {}, steady = 30, services = ["site"])`).Want(events.RolledBack).WantError("has run for less than 30s", "it is not ready after 5s")
}

// Of what belongs together only one changes: the one that it is bound to stays.
func TestUpOnlyOneOfWhatBelongsTogether(t *testing.T) {
	for _, v := range composetest.Versions {
		b := newBed(t, v)
		project := func(color string) {
			b.file("compose.yaml", "name: shop\nservices:\n  site: {image: \"app:1\", stop_grace_period: 0s, volumes: [/data]}\n"+
				"  beside: {image: \"app:1\", stop_grace_period: 0s, network_mode: \"service:site\", volumes_from: [site], environment: {PORT: \"81\", COLOR: "+color+"}}\n"+
				"  front: {image: \"app:1\", stop_grace_period: 0s, links: [\"site:web\"], environment: {COLOR: "+color+"}}\n")
		}
		project("red")
		b.Run(up1).Want(events.Succeeded)
		ids, state, settings := b.ids(), b.state(), b.settings()
		project("blue")
		b.Run(up1).Want(events.Succeeded)
		now := b.ids()
		if now["site"] != ids["site"] || now["beside"] == ids["beside"] || now["front"] == ids["front"] || len(now) != 3 {
			t.Errorf("%s: containers are %v, were %v", v, now, ids)
		}
		b.Preview(up1).Want(events.NoChange)
		b.Rollback().Want(events.Restored)
		b.wantSame(string(v)+": put back,", state, settings)
		b.e.Clean()
	}
}

// The timeout holds for who does not want to wait, too: Compose waits for what a service needs.
func TestUpWithoutWaiting(t *testing.T) {
	b := newBed(t, composetest.Current)
	b.file("compose.yaml", "name: shop\nservices:\n"+
		"  db: {image: \"app:1\", environment: {SICK: \"1\"}, healthcheck: {test: [\"CMD\", \"/app\", \"check\"], interval: 200ms, retries: 100000}}\n"+
		"  site: {image: \"app:1\", depends_on: {db: {condition: service_healthy}}}\n")
	state := b.state()
	b.Run(`compose.up(DIR, wait = False, timeout = 3)`).Want(events.RolledBack).WantError("is not done after 3s")
	if s := b.state(); s != state {
		t.Errorf("rolled back, the engine has\n%s\nwas\n%s", s, state)
	}
	b.Run(`compose.up(DIR, services = ["db"], wait = False, timeout = 30)`).Want(events.Succeeded)
}

// wantGiven stops the test unless Compose was given the resolved project and nothing else, which only its owner can read.
func (b *bed) wantGiven() {
	b.t.Helper()
	file := filepath.Join(b.Dir, resolvedName)
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		b.t.Fatalf("the resolved project: %v, %v", info, err)
	}
	for _, r := range b.containers() {
		if got := r.Config.Labels["com.docker.compose.project.config_files"]; got != file {
			b.t.Errorf("for %s Compose was given %q", r.name(), got)
		}
	}
}
