package compose

import (
	"fmt"
	"net"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// containerIDs are ids in a description of the engine.
var containerIDs = regexp.MustCompile(`(?m)^(container \S+|network \S+) [0-9a-f]{12}`)

// state describes the engine without ids of containers and networks, which an undo cannot give back.
// A container that had ended is made again, but not started.
func (b *bed) state() string {
	s := containerIDs.ReplaceAllString(b.e.State(), "$1")
	return strings.ReplaceAll(s, " created ", " exited ")
}

// settings are all that a container was made of, by name.
func (b *bed) settings() map[string]any {
	all := map[string]any{}
	for _, r := range b.containers() {
		config, host := *r.Config, *r.HostConfig
		if config.Hostname == imageref.Short(r.ID) {
			config.Hostname = ""
		}
		labels := map[string]string{}
		for name, value := range config.Labels {
			if name != engine.AgainLabel {
				labels[name] = value
			}
		}
		config.Labels = labels
		host.Mounts = nil // unnamed volumes are among them the second time; Mounts has them
		mounts := map[string]string{}
		for _, m := range r.Mounts {
			mounts[m.Destination] = fmt.Sprint(m.Type, m.Name, m.Source, m.RW)
		}
		networks := map[string]any{}
		for name := range r.NetworkSettings.Networks {
			networks[name] = len(endpoint(r.InspectResponse, name).Aliases)
		}
		all[r.name()] = []any{config, host, mounts, networks, r.Image, r.State.Running, r.State.ExitCode}
	}
	return all
}

// wantSame stops the test unless the engine is as it was.
func (b *bed) wantSame(what, state string, settings map[string]any) {
	b.t.Helper()
	if s := b.state(); s != state {
		b.t.Fatalf("%s the engine has\n%s\nwas\n%s", what, s, state)
	}
	now := b.settings()
	for name, was := range settings {
		if d := cmp.Diff(was, now[name], cmpopts.EquateEmpty()); d != "" {
			b.t.Errorf("%s container %s differs (-was +is):\n%s", what, name, d)
		}
	}
}

// Whatever makes a change fail, the engine is afterwards as it was.
func TestRolledBack(t *testing.T) {
	b := newBed(t, composetest.Current)
	b.shop("    volumes: [/cache]")
	b.Run(up1).Want(events.Succeeded)
	state, settings := b.state(), b.settings()
	for _, tt := range []struct {
		what string
		test func(*bed)
	}{
		{"version 2 failed", (*bed).fails}, {"a stranger cleaned up", (*bed).pruned}, {"the engine was restarted", (*bed).restarts},
	} {
		tt.test(b)
		b.wantSame(tt.what+": rolled back,", state, settings)
	}
	b.states()
}

// fails has version 2 of the site fail in all ways.
func (b *bed) fails() {
	b.t.Helper()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.t.Fatal(err)
	}
	defer taken.Close()
	state, settings := b.state(), b.settings()
	for _, tt := range []struct {
		name string
		site string
		log  string // is shown, under the container's name
		want []string
	}{
		{"exits at start", `    command: ["/app", "exit", "3"]`, "cannot open its database",
			[]string{"service site: container shop-site-1 exited with code 3", "cannot open its database"}},
		{"prints much", "    command: [\"/app\", \"env\"]\n    ports: [\"127.0.0.1::8080\"]\n    environment: {NOISE: \"" + strings.Repeat("noise\\n", 300) + "\"}",
			"noise", []string{"shop-site-1 exited with code 0"}},
		{"crash loop", "    restart: always\n    environment: {CRASH_AFTER: 50ms}\n", "out of luck",
			[]string{"shop-site-1 has been restarted 1 times", "out of luck"}},
		{"unhealthy", "    healthcheck: {test: [\"CMD\", \"/app\", \"check\"], interval: 100ms, retries: 2}\n    environment: {SICK: \"1\"}\n",
			"starting version 2", []string{"shop-site-1 is unhealthy", "the check says 503"}},
		{"not ready in time", "    healthcheck: {test: [\"CMD\", \"/app\", \"check\"], interval: 100ms, retries: 1000}\n    environment: {SICK: \"1\"}\n",
			"starting version 2", []string{"container shop-site-1 is starting", "it is not ready after 5s"}},
		{"port is taken", fmt.Sprintf("    ports: [\"%s:8080\"]\n    volumes: [/other]\n    networks: [extra]\n", taken.Addr()), "",
			[]string{"compose.up: shop: service site: container shop-site-1 did not start", "address already in use"}},
		{"no such program", `    command: ["/none"]`, "", []string{"compose.up: shop: service site: container shop-site-1 did not start", "/none"}},
	} {
		b.file("compose.override.yaml", "services:\n  site:\n    image: app:2\n"+tt.site+"\nnetworks: {extra: }\n")
		up := `compose.up(DIR, steady = 5, timeout = 30)` // on a busy machine a container that crashes takes its time, too
		if tt.name == "not ready in time" {
			up = `compose.up(DIR, timeout = 5)`
		}
		b.t.Log(tt.name)
		r := b.Run(up).Want(events.RolledBack).WantError(tt.want...)
		b.wantSame(tt.name+": rolled back,", state, settings)
		var shown []string
		for _, e := range r.Events(events.Output) {
			if strings.HasPrefix(e.Text, "shop-site-1 | ") {
				shown = append(shown, e.Text)
			}
		}
		if tt.log != "" && !slices.Contains(shown, "shop-site-1 | "+tt.log) || len(shown) > shownLines {
			b.t.Errorf("%s: %d lines of the container were shown, the last %q", tt.name, len(shown), shown[max(0, len(shown)-5):])
		}
	}
}

// pruned has a stranger clean up when the old containers are gone and the new ones do not run: the images of the old ones
// are on no running container then.
func (b *bed) pruned() {
	b.t.Helper()
	b.file("compose.override.yaml", `services: {db: {image: app:2}, prepare: {image: app:2}, site: {image: app:2}}`)
	kept := b.e.ImageID("app:1")
	prune := familytest.WhenDone("compose.up", func() {
		b.e.Prune()
		if b.e.ImageID(kept) != "" {
			b.t.Error("the image of version 1 survived: the test shows nothing")
		}
	})
	r := b.RunContext(b.t.Context(), up1+"\nfail(\"the site is broken\")", prune).Want(events.RolledBack).WantError("the site is broken")
	if !prune.Called {
		b.t.Fatal("nothing was pruned")
	}
	for _, e := range r.Events(events.Undone) {
		b.t.Logf("after the prune, undoing %s took %v", e.Change.Call, e.Duration)
	}
}

// restarts has the engine restarted, which ends its containers, while new ones come up.
func (b *bed) restarts() {
	b.t.Helper()
	b.file("compose.override.yaml", version2)
	restart := familytest.WhenPrinted("site-1 Start", b.e.Restart)
	b.RunContext(b.t.Context(), up1, restart).Want(events.RolledBack).WantError("compose.up: shop:")
	if !restart.Called {
		b.t.Fatal("the engine was not restarted")
	}
}

// states has something stopped and something paused, which is so again.
func (b *bed) states() {
	b.t.Helper()
	ctx := b.t.Context()
	if err := b.e.API.ContainerPause(ctx, "shop-db-1"); err != nil {
		b.t.Fatal(err)
	}
	if err := b.e.API.ContainerKill(ctx, "shop-site-1", "KILL"); err != nil {
		b.t.Fatal(err)
	}
	state := b.state()
	b.Run(up1 + "\nfail(\"no\")").Want(events.RolledBack)
	if s := b.state(); s != state {
		b.t.Errorf("rolled back the engine has\n%s\nwas\n%s", s, state)
	}
	if err := b.e.API.ContainerUnpause(ctx, "shop-db-1"); err != nil {
		b.t.Fatal(err)
	}
}
