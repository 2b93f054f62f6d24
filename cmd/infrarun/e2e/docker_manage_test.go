package e2e

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"

	"github.com/infrarun/infrarun/testdata/composetest"
)

// manages has each command do its work with containers.
func (c *containers) manages(t *testing.T) {
	c.manage("status").want(0).says("containers", "running (healthy)", "InfraCore is healthy")
	if out := c.manage("logs", "--service=orch", "--lines=20").want(0).stdout; !strings.Contains(out, "service=orch") {
		t.Errorf("logs do not show what the orchestrator said:\n%s", out)
	}
	ids := c.ids()
	c.manage("restart", "--service=orch", "--dry-run").want(2)
	c.manage("restart", "--service=orch").want(0)
	if changed := c.changedIDs(ids); len(changed) > 0 {
		t.Errorf("a restart made %v anew", changed)
	}
	c.manage("stop", "--service=snap").want(0)
	if _, running := c.ids()["snap"]; running {
		t.Error("snap runs after stop")
	}
	c.manage("status").want(1).says("snap does not run")
	c.manage("start").want(0)
	c.manage("status").want(0)
	c.manage("test-install").want(0)
	c.manage("test-api").want(0)

	c.manage("backup").want(0)
	made, _ := filepath.Glob(filepath.Join(c.prefix, "opt/infra-core/backups/backup-*"))
	if len(made) != 1 {
		t.Fatalf("there are %d backups", len(made))
	}
	for _, part := range []string{"data.volume.tar.gz", "console.db", "etc.tar.zst", "release.tar.zst"} {
		if found, _ := filepath.Glob(filepath.Join(made[0], part)); len(found) != 1 {
			t.Errorf("the backup has no %s", part)
		}
	}
	c.manage("backups", "--verify").want(0).says("whole")
	c.manage("test-api").want(0) // another note
	c.manage("rollback", "--to-backup=latest", "--with-database", "--yes").want(0).says("discarded since")
	c.manage("rollback", "--to-backup=latest", "--yes").want(0).says("stays as it is")
	c.manage("status").want(0)

	now := c.current()
	c.manage("rollback").want(0)
	if c.current() == now {
		t.Errorf("after a rollback %s is current still", now)
	}
	c.version()
	c.manage("rollback", "--to="+now).want(0)
	c.manage("troubleshoot").want(0)
	c.manage("configure", "--set=probe_port="+strconv.Itoa(freePorts(t, 1)[0]), "--yes").want(0)
	c.infrarun("rollback").want(0)
	c.manage("status").want(0)
}

// keepsSecret looks for the secret of the services wherever it must not be.
func (c *containers) keepsSecret(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(c.prefix, "etc/infra-core/infra-core.env"))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`INFRA_CORE_JWT_SECRET='?([^'\n]{32,})`).FindSubmatch(text)
	if found == nil {
		t.Fatalf("the settings have no secret:\n%s", text)
	}
	secret := string(found[1])
	for name, text := range all(t, c.site.state) {
		// What was removed lies as it was, with its mode, in a directory of root's.
		if strings.Contains(text, secret) && !strings.Contains(name, "/trash/") {
			t.Errorf("the secret is in %s", name)
		}
	}
	for _, name := range []string{"infra-core.env", "compose.yaml"} {
		info, err := os.Stat(filepath.Join(c.prefix, "etc/infra-core", name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info.Mode(), err)
		}
	}
	image, err := c.e.API.ImageInspect(t.Context(), "infra-core/console:"+c.current())
	if err != nil {
		t.Fatal(err)
	}
	if env := strings.Join(image.Config.Env, "\n"); strings.Contains(env, secret) {
		t.Error("the secret is in an image")
	}
	if image.Config.User != "10001:10001" {
		t.Errorf("the console runs as %q", image.Config.User)
	}
}

// uninstalls takes everything away but images; a rollback brings it back.
func (c *containers) uninstalls(t *testing.T) {
	first := c.version()
	var data string
	for _, m := range c.e.Container(c.ids()["console"]).Mounts {
		if strings.HasSuffix(m.Name, "_data") {
			data = m.Source
		}
	}
	if _, err := os.Stat(filepath.Join(data, "console.db")); err != nil {
		t.Fatalf("the volume with the data has no database: %v", err)
	}
	console := c.e.Container(c.ids()["console"])
	project := console.Config.Labels["com.docker.compose.project"]
	c.manage("uninstall", "--yes").want(0).says("containers of the project "+project+": 5", "volume "+project+"_data", "--purge removes it", "images infra-core/SERVICE")
	if left := c.ids(); len(left) > 0 {
		t.Errorf("there are still %v", left)
	}
	if _, err := os.Stat(data); err != nil {
		t.Errorf("the volume with the data is gone: %v", err)
	}
	c.manage("uninstall", "--purge", "--yes").want(0).says("volume " + project + "_data")
	if _, err := os.Stat(data); err == nil {
		t.Error("the volume with the data is still there")
	}
	c.meetsStrangers(project, console.Image)
	c.infrarun("rollback").want(0)
	c.infrarun("rollback").want(0)
	c.answers()
	if got := c.version(); got != first {
		t.Errorf("after the rollback %s answers, want %s", got, first)
	}
	if _, err := os.Stat(filepath.Join(data, "console.db")); err != nil {
		t.Errorf("after the rollback the database is not back: %v", err)
	}
}

// meetsStrangers tries to deploy where somebody else has a project of the same name, with a container of this image.
func (c *containers) meetsStrangers(project, image string) {
	const name = "by-hand"
	labels := map[string]string{
		"com.docker.compose.project": project, "com.docker.compose.service": "orch",
		"com.docker.compose.container-number": "1", "com.docker.compose.oneoff": "False",
	}
	_, err := c.e.API.ContainerCreate(c.t.Context(), &container.Config{Image: image, Labels: labels}, nil, nil, nil, name)
	must(c.t, err)
	c.deploy("deploy.star").want(1).says("nothing is deployed here, and the Compose project " + project + " has containers: " + name)
	must(c.t, c.e.API.ContainerRemove(c.t.Context(), name, container.RemoveOptions{Force: true}))
}

// leavesRegistry has the next release built here, where the one before came from a registry.
func (c *containers) leavesRegistry(t *testing.T) {
	first := c.version()
	c.flags = slices.DeleteFunc(slices.Clone(c.flags), func(f string) bool { return strings.HasPrefix(f, "--registry") })
	c.flags = append(c.flags, baseFlags...)
	c.repo.write("cmd/probe/note.go", "package main\n")
	c.repo.commit("built here")
	defer c.repo.reset()
	preview := c.deploy("deploy.star", "--dry-run").want(2).says("infra-core/SERVICE, built here")
	wantSame(t, preview, c.deploy("deploy.star").want(0))
	c.infrarun("rollback").want(0)
	c.answers()
	if got := c.version(); got != first {
		t.Errorf("after the rollback %s answers, want %s", got, first)
	}
}

// testRegistry deploys from a registry that asks for a password.
func testRegistry(t *testing.T, from *containers) {
	e := from.e
	r := e.Registry()
	release := from.current()
	for _, name := range services {
		push(t, e, "infra-core/"+name+":"+release, r.Address+"/team/infra-core/"+name+":"+release)
	}
	c := &containers{newSite(t, from.repo), e, "infra-core"}
	t.Cleanup(c.remove)
	composetest.Use(t, composetest.One)
	c.env = append(slices.DeleteFunc(slices.Clone(c.env), func(v string) bool { return strings.HasPrefix(v, "PATH=") }),
		"PATH="+os.Getenv("PATH"), "REGISTRY_TOKEN="+r.Password, "WRONG=not-the-password")
	c.flags = append(c.flags, "--docker", "--registry="+r.Address+"/team", "--registry-user="+r.User)
	right := "--registry-token=env:REGISTRY_TOKEN"
	before, tree := c.state(), c.tree()
	for name, try := range map[string]struct {
		flags []string
		says  string
	}{
		"wrong token":    {[]string{"--registry-token=env:WRONG"}, "unauthorized"},
		"no such image":  {[]string{right, "--image=nothing"}, "team/nothing/orch:" + release},
		"registry down":  {[]string{right, "--registry=127.0.0.1:" + strconv.Itoa(freePorts(t, 1)[0])}, "connection refused"},
		"user, no token": {nil, "--registry-token"},
	} {
		t.Run(name, func(t *testing.T) {
			c := c.in(t)
			for _, more := range []string{"--dry-run", "--yes"} {
				got := c.deploy("deploy.star", append(try.flags, more)...)
				if got.code == 0 || got.code == 2 || !strings.Contains(got.outcome().Error, try.says) {
					t.Errorf("with %s: exit code %d, which does not say %q:\n%s", more, got.code, try.says, got.failure())
				}
			}
			if now := c.state(); now != before {
				t.Errorf("the engine has\n%s\ninstead of\n%s", now, before)
			}
			c.sameTree(tree)
		})
	}
	begin := time.Now()
	run := c.deploy("deploy.star", right).want(0)
	t.Logf("a deployment from the registry: %.1f s", time.Since(begin).Seconds())
	c.version()
	for name, text := range all(t, c.dir) {
		if strings.Contains(text, r.Password) {
			t.Errorf("the token is in %s", name)
		}
	}
	if strings.Contains(run.stdout+run.stderr, r.Password) {
		t.Error("the token is in the output")
	}
	ids := c.ids()
	c.deploy("deploy.star", right).want(0)
	if now := c.ids(); !maps.Equal(now, ids) {
		t.Errorf("the same deployment has %v instead of %v", now, ids)
	}
	// Nobody says where the images come from, or says something else: none is asked for anywhere.
	c.manage("update", "--repo="+c.repo.dir).want(1).says("are "+r.Address+"/team/infra-core/SERVICE", "give --registry "+r.Address+"/team")
	from.deploy("deploy.star", "--registry="+r.Address+"/other").want(1).says("on record as infra-core/SERVICE")
	c.leavesRegistry(t)
}
