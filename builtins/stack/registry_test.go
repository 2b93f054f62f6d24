package stack

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/enginetest"
)

// spread has a task on each machine.
const spread = `
name: shop
services:
  site:
    image: ${IMAGE}
    stop_grace_period: 1s
    deploy: {endpoint_mode: dnsrr, replicas: 2, placement: {max_replicas_per_node: 1}, update_config: {parallelism: 0, monitor: 300ms}}
`

// Images come from a registry that asks for a password: the machines ask with that which the deployment was given, also
// when they go back to an image that somebody has removed from them meanwhile.
func TestRegistry(t *testing.T) {
	b := newBed(t)
	reg := b.s.Registry()
	b.Grant("net", reg.Address)
	one, two := reg.Address+"/team/app:1", reg.Address+"/team/app:2"
	b.push(reg, one, "1")
	b.push(reg, two, "2")
	b.file("compose.yaml", spread)
	deploy := func(ref, password string) string {
		return fmt.Sprintf("stack.deploy(DIR, env = {'IMAGE': %q}, username = %q, token = %q, steady = 0.2, timeout = 60)", ref, reg.User, password)
	}
	empty := b.s.Services()
	for password, want := range map[string]string{"not-the-password": "unauthorized", reg.Password: "manifest unknown"} {
		b.Run(deploy(one+"-none", password)).Want(events.Refused).WantError(b.Dir+"/compose.yaml:5: service site: image "+one+"-none", want)
	}
	if now := b.s.Services(); now != empty {
		t.Errorf("refused, the swarm has\n%s", now)
	}
	b.Run(deploy(one, reg.Password)).Want(events.Succeeded)
	b.wantEverywhere("1")
	specs := b.specs()
	b.Run(deploy(two, reg.Password)).Want(events.Succeeded)
	b.wantEverywhere("2")
	for _, e := range b.s.Engines {
		e.Prune()
	}
	b.Rollback().Want(events.Restored)
	b.wantSame("put back,", specs)
	b.wantEverywhere("1")
	for i, e := range b.s.Engines {
		if s := e.State(); strings.Contains(s, "infrarun/keep") {
			t.Errorf("put back, engine %d holds an image still:\n%s", i+1, s)
		}
	}
	b.NoTrace(reg.Password)
}

// push puts an image into the registry, and removes it here.
func (b *bed) push(r *enginetest.Registry, ref, version string) {
	b.t.Helper()
	e := b.s.Engines[0]
	e.Image(ref, "ENV VERSION="+version)
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: r.User, Password: r.Password})
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := e.API.ImagePush(b.t.Context(), ref, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Close()
	if text, err := io.ReadAll(answer); err != nil || strings.Contains(string(text), "errorDetail") {
		b.t.Fatalf("push: %v %s", err, text)
	}
	if _, err := e.API.ImageRemove(b.t.Context(), ref, image.RemoveOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// wantEverywhere fails the test unless each machine runs a task of that version of the site.
func (b *bed) wantEverywhere(version string) {
	b.t.Helper()
	for i, e := range b.s.Engines {
		list, err := e.API.ContainerList(b.t.Context(), container.ListOptions{Filters: ofStack("shop")})
		if err != nil {
			b.t.Fatal(err)
		}
		var running []string
		for _, c := range list {
			running = append(running, strings.Join(e.Container(c.ID).Config.Env, " "))
		}
		if len(running) != 1 || !strings.Contains(running[0], "VERSION="+version) {
			b.t.Errorf("on engine %d run %v, want version %s", i+1, running, version)
		}
	}
}
