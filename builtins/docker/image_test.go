package docker_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

// buildFiles makes a directory to build from: an image with a file of it beside the program.
func buildFiles(f *fixture) {
	f.write("src/Dockerfile", "ARG BASE=base:1\nFROM ${BASE} AS last\nARG GREETING\nENV GREETING=$GREETING\nCOPY . /files/\n")
	f.write("src/page", "one")
	f.write("src/secret", "not for the image")
	f.write("src/.dockerignore", "secret\n**/*.tmp\n!keep.tmp\n")
	f.write("src/deep/a.tmp", "ignored")
	f.write("src/keep.tmp", "not ignored")
}

func TestBuild(t *testing.T) {
	f := newFixture(t)
	base := f.Image("base:1")
	buildFiles(f)
	if err := os.Symlink("src", filepath.Join(f.Dir, "current")); err != nil {
		t.Fatal(err)
	}
	build := `image = docker.build(DIR + "/current", tag = "app:1", args = {"GREETING": "hello"}, labels = {"made": "here"})` + "\n"
	empty := f.Engine.State()

	f.Preview(build + `test.equal(image.ref, "app:1")` + "\n" + `docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.WouldChange)
	f.Preview(build + `log = image.id`).Want(events.Refused).WantError("app:1, which docker.build brings, is not known in a preview")
	f.same("after previews", empty)
	r := f.Run(build + `
test.equal(image.labels["made"], "here")
test.equal([e for e in image.env if e.startswith("GREETING")], ["GREETING=hello"])
docker.run("web", image = "app:1", stop_timeout = 0)
test.equal(docker.exec("web", ["/app", "cat", "/files/page"], read_only = True).stdout, "one")
test.equal(docker.exec("web", ["/app", "cat", "/files/keep.tmp"], read_only = True).stdout, "not ignored")
for name in ["secret", "deep/a.tmp"]:
    test.equal(docker.exec("web", ["/app", "cat", "/files/" + name], read_only = True, check = False).ok, False)
`).Want(events.Succeeded)
	if out := output(r); !strings.Contains(out, "COPY . /files/") {
		t.Errorf("what the build printed was not shown: %s", out)
	}
	first := f.ImageID("app:1")
	f.Preview(build).Want(events.NoChange)
	f.write("src/secret", "what is ignored may change")
	f.Run(build).Want(events.Succeeded)
	if now := f.ImageID("app:1"); now != first {
		t.Error("it was built again though nothing has changed")
	}

	before := f.Engine.State()
	f.write("src/page", "two")
	f.Run(build).Want(events.Succeeded)
	if f.ImageID("app:1") == first {
		t.Fatal("it was not built again though a file has changed")
	}
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)

	// Another base image is a reason to build as well; one that was removed by somebody is none.
	f.write("src/page", "one")
	f.Preview(build).Want(events.NoChange)
	if other := f.Image("base:1", "ENV OTHER=1"); other == base {
		t.Fatal("the test did not make another base image")
	}
	if got := strings.Join(f.Preview(build).Want(events.WouldChange).Summaries(), "\n"); !strings.Contains(got, "base image base:1 has changed") {
		t.Errorf("the reason is not told: %s", got)
	}
	f.Prune()
	f.Preview(build).Want(events.NoChange)
}

func TestBuildFails(t *testing.T) {
	f := newFixture(t)
	f.Image("base:1")
	f.Image("app:1")
	f.write("bad/Dockerfile", "FROM base:1\nRUN /app exit 4\n")
	f.write("worse/Dockerfile", "FORM base:1\n")
	f.write("remote/Dockerfile", "FROM 127.0.0.1:1/base:1\n")
	before := f.Engine.State()
	f.Run(`docker.build(DIR + "/bad", tag = "app:1")`).Want(events.Refused).WantError("docker.build: app:1", "the Docker engine said")
	f.Run(`docker.build(DIR + "/worse", tag = "app:1")`).Want(events.Refused).WantError("unknown instruction: FORM")
	f.Run(`docker.build(DIR + "/remote", tag = "app:1")`).Want(events.Refused).WantError("bring base image 127.0.0.1:1/base:1", "connection refused")
	f.Run(`docker.build(DIR + "/none", tag = "app:1")`).Want(events.Refused).WantError("there is no " + f.Dir + "/none/Dockerfile")
	f.Run(`docker.build(DIR, tag = "app:1", dockerfile = "../Dockerfile")`).Want(events.Refused).WantError("inside of the context")
	f.Run(`docker.build("/etc", tag = "app:1")`).Want(events.DeniedRun).WantError("fs.read: /etc")
	f.same("after all that failed", before)
}

// TestPreviewOfAWrittenContext builds from files that the same run writes.
func TestPreviewOfAWrittenContext(t *testing.T) {
	f := newFixture(t)
	f.Image("base:1")
	recipe := `
fs.mkdir(DIR + "/src")
fs.write(DIR + "/src/Dockerfile", "FROM base:1\n")
docker.build(DIR + "/src", tag = "app:1")
docker.tag("app:1", "app:latest")
test.equal(docker.image("app").ref, "app:latest")
docker.run("web", image = "app", stop_timeout = 0)
`
	f.Preview(recipe).Want(events.WouldChange)
	f.Run(recipe).Want(events.Succeeded)
	f.Preview(recipe).Want(events.NoChange)
}

func TestTagAndRemove(t *testing.T) {
	f := newFixture(t)
	one, two := f.Image("app:1", "ENV V=1"), f.Image("app:2", "ENV V=2")
	before := f.Engine.State()
	recipe := `
docker.tag("app:1", "app:2")
test.equal(docker.image("app:2").id, "` + one + `")
docker.remove_image("app:1")
test.equal(docker.image("app:1"), None)
docker.remove_image("app:9")
docker.tag("app:2", "app:new")
`
	f.Preview(recipe).Want(events.WouldChange)
	f.same("after a preview", before)
	f.Run(recipe).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
	f.UndoTwice(recipe)
	f.BreakEverywhere(recipe)
	f.same("broken everywhere", before)

	// Somebody prunes: image 2 has no name but that by which it is kept, and then not even that.
	f.RunContext(t.Context(), recipe+`fail("a later step fails")`, familytest.WhenDone("docker.remove_image", f.Prune)).
		Want(events.RolledBack)
	f.same("after the rollback", before)
	if f.ImageID("app:2") != two {
		t.Error("the old image is not back")
	}
	f.Run(`docker.run("web", image = "app:1", stop_timeout = 0)`).Want(events.Succeeded)
	f.Run(`docker.remove_image("app:1")`).Want(events.Refused).WantError("the last name of an image that containers use: web")
	f.Run(`docker.tag("app:7", "app:8")`).Want(events.Refused).WantError("app:7: there is no such image")
}

func TestRegistry(t *testing.T) {
	f := newFixture(t)
	r := f.Registry()
	ref := r.Address + "/team/app:1"
	one := f.Image(ref, "ENV VERSION=1")
	login := fmt.Sprintf(`username = %q, password = %q`, r.User, r.Password)
	push := fmt.Sprintf("pushed = docker.push(%q, %s)\n", ref, login)
	pull := fmt.Sprintf("image = docker.pull(%q, %s)\n", ref, login)

	f.Run(fmt.Sprintf(`docker.push(%q, username = "deployer", password = "wrong-password")`, ref)).WantError("docker.push: "+ref, "unauthorized")
	f.Preview(push).Want(events.WouldChange)
	f.Run(push + `test.contains(pushed.digest, "sha256:")`).Want(events.Succeeded)
	f.Clean()
	empty := f.Engine.State()

	for args, want := range map[string]string{
		fmt.Sprintf(`%q, token = "a-wrong-token"`, ref):                                     "unauthorized",
		fmt.Sprintf(`%q`, ref):                                                              "no basic auth credentials",
		fmt.Sprintf(`"%s/team/none:1", %s`, r.Address, login):                               "manifest unknown",
		`"127.0.0.1:1/app:1"`:                                                               "connection refused",
		fmt.Sprintf(`%q, username = "x"`, ref):                                              "needs a password or a token",
		fmt.Sprintf(`%q, username = "x", password = "password-y", token = "token-zz"`, ref): "not both",
	} {
		f.Run("docker.pull(" + args + ")").Want(events.Refused).WantError(want)
		f.Preview("docker.pull(" + args + ")").Want(events.Refused).WantError(want)
	}
	f.Preview(pull).Want(events.WouldChange)
	f.same("after pulls that fail, and a preview", empty)

	f.Run(pull + `test.equal(image.env[-1], "VERSION=1")`).Want(events.Succeeded)
	if got := f.ImageID(ref); got != one {
		t.Errorf("pulled image %s, want %s", got, one)
	}
	f.Preview(pull).Want(events.NoChange)
	f.Image(ref, "ENV VERSION=2")
	f.Run(push).Want(events.Succeeded)
	f.Clean()
	f.Image(ref, "ENV VERSION=1")
	before := f.Engine.State()
	f.Run(pull + `test.equal(image.env[-1], "VERSION=2")`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", before)
}

// TestBuildFromRegistry brings base images first, with a password, and takes them away again with the rest.
func TestBuildFromRegistry(t *testing.T) {
	f := newFixture(t)
	r := f.Registry()
	ref := r.Address + "/team/base:1"
	login := fmt.Sprintf(`username = %q, password = %q`, r.User, r.Password)
	f.Image(ref)
	f.Run(fmt.Sprintf("docker.push(%q, %s)", ref, login)).Want(events.Succeeded)
	f.Clean()
	f.write("good/Dockerfile", "FROM "+ref+"\nENV A=b\n")
	f.write("bad/Dockerfile", "FROM "+ref+"\nRUN /app exit 4\n")
	empty := f.Engine.State()
	build := func(dir, args string) string {
		return fmt.Sprintf("docker.build(DIR + %q, tag = \"app:1\", %s)\n", "/"+dir, args)
	}
	f.Run(build("good", login)).Want(events.Refused).WantError("bring base image "+ref, "no basic auth credentials") // of another registry
	login += fmt.Sprintf(`, registry = %q`, r.Address)
	f.Run(build("bad", login)).Want(events.RolledBack).WantError("the Docker engine said")
	f.same("after a build that failed", empty)
	f.Run(build("good", login)).Want(events.Succeeded)
	f.Preview(build("good", login)).Want(events.NoChange)
	f.Rollback().Want(events.Restored)
	f.same("after the rollback", empty)
}

// TestUndoOfANameForANamelessImage: an image that had no name was there before the run gave it one, so it stays.
func TestUndoOfANameForANamelessImage(t *testing.T) {
	f := newFixture(t)
	id := f.Image("app:1", "ENV VERSION=1")
	f.Image("app:1", "ENV VERSION=2")
	before := f.Engine.State()
	for _, name := range []string{"old:1", "app:1"} {
		f.Run(fmt.Sprintf("docker.tag(%q, %q)\nfail(\"a later step fails\")", id, name)).Want(events.RolledBack)
		f.same("after the rollback of "+name, before)
	}
	if f.ImageID(id) != id {
		t.Error("the image without a name is gone")
	}
}
