package compose

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// builds writes a project whose site is built from the test's program.
func (b *bed) builds(version string) {
	b.t.Helper()
	program, err := os.ReadFile(b.e.Program())
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(b.Dir, "src"), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.Dir, "src", "app"), program, 0o755); err != nil {
		b.t.Fatal(err)
	}
	b.file("src/Dockerfile", "FROM scratch\nARG V\nENV VERSION=$V\nCOPY app /app\nCMD [\"/app\", \"serve\"]\n")
	b.file("compose.yaml", "name: shop\nservices:\n  site:\n    build: {context: ./src, args: {V: \""+version+"\"}}\n    environment: {X: $$x}\n")
}

func TestBuild(t *testing.T) {
	const deploy = `compose.build(DIR)` + "\n" + up1
	for _, v := range composetest.Versions {
		b := newBed(t, v)
		b.builds("1")
		if v == composetest.Current {
			p := b.Preview(deploy).Want(events.WouldChange)
			if s := strings.Join(p.Summaries(), "\n"); !strings.Contains(s, "build shop-site:latest") || !strings.Contains(s, "create 1") {
				t.Errorf("the preview says\n%s", s)
			}
		}
		b.Run(deploy).Want(events.Succeeded)
		ids, state, settings := b.ids(), b.state(), b.settings()
		b.Run(deploy).Want(events.Succeeded) // from the cache
		if now := b.ids(); now["site"] != ids["site"] {
			t.Errorf("%s: nothing changed, but the container is %v, was %v", v, now, ids)
		}
		if v == composetest.One {
			continue // what follows does not depend on who built
		}
		b.builds("2")
		c := b.Preview(deploy).Changes()[1]
		if !strings.Contains(c.Diff, "recreate "+b.containers()[0].name()+" (image shop-site comes by compose.build") || c.Assumed == "" {
			t.Errorf("%s: the preview says %+v", v, c)
		}
		b.Run(deploy + "\nfail(\"no\")").Want(events.RolledBack)
		b.wantSame("rolled back,", state, settings)
		b.file("src/Dockerfile", "FROM scratch\nCOPY nothing /\n")
		b.Run(deploy).Want(events.Refused).WantError("compose.build", "nothing")
		b.wantSame("after a build that failed,", state, settings)
		b.e.Clean()
	}
}

func TestPull(t *testing.T) {
	b := newBed(t, composetest.Current)
	reg := b.e.Registry()
	ref := reg.Address + "/shop/site:1"
	b.push(ref, reg.User, reg.Password, "1")
	b.file("compose.yaml", "name: shop\nservices:\n  site: {image: \""+ref+"\"}\n  built: {build: .}\n")
	b.Grant("net", reg.Address)
	t.Setenv("TOKEN", reg.Password)
	pull := func(token string) string {
		return `compose.pull(DIR, username = "` + reg.User + `", token = "` + token + `")`
	}
	empty := b.state()
	for _, run := range []func(string) *familytest.Result{b.Preview, b.Run} {
		run(pull("wrong-password")).Want(events.Refused).WantError("ask the registry "+reg.Address, "unauthorized")
		run(strings.Replace(pull(reg.Password), "DIR,", `DIR, env = {}, files = ["none.yaml"],`, 1)).Want(events.Refused).WantError("none.yaml")
	}
	b.Preview(pull(reg.Password)).Want(events.WouldChange)
	if s := b.state(); s != empty {
		t.Fatalf("a preview or what failed changed the engine:\n%s", s)
	}
	b.Run(pull(reg.Password)).Want(events.Succeeded)
	one := b.e.ImageID(ref)
	if c := b.Run(pull(reg.Password)).Changes()[0]; c.Status != events.Unchanged {
		t.Errorf("again: %+v", c)
	}
	state := b.state()
	b.push(ref, reg.User, reg.Password, "2")
	b.retag(one, ref)
	if s := b.state(); s != state {
		t.Fatalf("the test left\n%s", s)
	}
	b.UndoTwice(pull(reg.Password))
	if s := b.state(); s != state {
		t.Errorf("undone, the engine has\n%s\nwas\n%s", s, state)
	}
	b.file("compose.yaml", "name: shop\nservices:\n  site: {image: \""+ref+"-none\"}\n")
	b.Run(pull(reg.Password)).Want(events.Refused).WantError("manifest unknown")
	b.NoTrace(reg.Password)
}

// push puts an image into a registry, and removes it here.
func (b *bed) push(ref, user, password, version string) {
	b.t.Helper()
	b.e.Image(ref, "ENV VERSION="+version)
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: user, Password: password})
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.e.API.ImagePush(b.t.Context(), ref, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Close()
	if text, err := io.ReadAll(answer); err != nil || strings.Contains(string(text), "errorDetail") {
		b.t.Fatalf("push: %v %s", err, text)
	}
	if _, err := b.e.API.ImageRemove(b.t.Context(), ref, image.RemoveOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// retag gives an image a name again.
func (b *bed) retag(id, ref string) {
	b.t.Helper()
	if err := b.e.API.ImageTag(b.t.Context(), id, ref); err != nil {
		b.t.Fatal(err)
	}
}

func TestDownPsLogs(t *testing.T) {
	b := newBed(t, composetest.Current)
	b.shop("    ports: [\"127.0.0.1::8080\"]", "    restart: always")
	b.Run(up1).Want(events.Succeeded)
	state, settings := b.state(), b.settings()
	b.Run(`
for c in compose.ps("shop"):
    test.equal(c.image, "app:1")
    test.equal(c.state, "exited" if c.service == "prepare" else "running")
    test.equal(c.health, "healthy" if c.service == "db" else "")
    test.equal(len(c.ports), 1 if c.service == "site" else 0)
    test.equal(c.restart, "always" if c.service == "site" else "no")
test.equal(len(compose.ps("none")), 0)
test.equal(compose.logs("shop", services = ["site"], tail = 5), "shop-site-1 | starting version 1\n")
p = compose.config(DIR)
test.equal(p.name, "shop")
test.equal(sorted(p.services), ["db", "prepare", "site"])
test.equal(p.volumes, ["shop_data"])
test.contains(p.text, "shop_data")
`).Want(events.Succeeded)
	down := `compose.down("shop")`
	c := b.Preview(down).Want(events.WouldChange).Changes()[0]
	if want := "- container shop-db-1\n- container shop-prepare-1\n- container shop-site-1\n- network shop_default\n"; c.Diff != want {
		t.Errorf("the preview says\n%s", c.Diff)
	}
	b.Preview(down + "\ncompose.ps(\"shop\")[0]").Want(events.Refused).WantError("not known in a preview")
	if p := b.Preview(down + "\n" + up1); !strings.Contains(p.Changes()[1].Summary, "create 3") {
		t.Errorf("after down it would %+v", p.Changes())
	}
	if p := b.Preview(`compose.up(DIR, env = {"COLOR": "green"})` + "\n" + `compose.up(DIR, env = {"COLOR": "green"})`); p.Changes()[1].Status != events.Unchanged {
		t.Errorf("a second time it would %+v", p.Changes()[1])
	}
	b.Run(down).Want(events.Succeeded)
	if s := b.state(); strings.Contains(s, "container") || !strings.Contains(s, "volume shop_data") {
		t.Errorf("down, the engine has\n%s", s)
	}
	if c := b.Run(down).Changes()[0]; c.Status != events.Unchanged {
		t.Errorf("again: %+v", c)
	}
	b.Rollback().Want(events.Restored)
	now := b.settings()
	for name := range settings {
		if now[name] == nil {
			t.Errorf("container %s is not there again", name)
		}
	}
	if s := b.state(); s != state {
		t.Errorf("put back, the engine has\n%s\nwas\n%s", s, state)
	}
}

// What Compose 1 does not understand is refused before anything changes, in a preview too.
func TestComposeOne(t *testing.T) {
	b := newBed(t, composetest.One)
	b.file("compose.yaml", "name: shop\nservices:\n  site: {image: app:1, healthcheck: {test: [\"CMD\", \"/app\", \"check\"], start_interval: 1s}}\n")
	b.Preview(up1).Want(events.Refused).WantError("docker-compose 1.29.2 does not understand the project", "start_interval")
	b.file("compose.yaml", "name: shop\nservices:\n  site: {image: app:1, deploy: {replicas: 2, resources: {limits: {memory: 64M}}}}\n")
	b.Run(up1).Want(events.Succeeded)
	list := b.containers()
	if len(list) != 2 || list[0].HostConfig.Memory != 64<<20 {
		t.Errorf("%d containers with %d bytes of memory", len(list), list[0].HostConfig.Memory)
	}
	if c := b.Run(up1).Changes()[0]; c.Status != events.Unchanged {
		t.Errorf("again: %+v", c)
	}
}
