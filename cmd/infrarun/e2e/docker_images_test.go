package e2e

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"

	"github.com/infrarun/infrarun/testdata/enginetest"
	"github.com/infrarun/infrarun/testdata/server"
)

// The images that those of the stack are built with and begin from. They are made here, of this machine's own Go: no
// registry is asked.
const (
	buildImage   = "test-go:1"
	runtimeImage = "test-runtime:1"
)

// baseFlags has a deployment use them.
var baseFlags = []string{
	"--base=BUILD_IMAGE=" + buildImage, "--base=RUNTIME_IMAGE=" + runtimeImage, "--base=NODE_IMAGE=" + runtimeImage,
}

// makeBases makes the base images.
func makeBases(t *testing.T, e *enginetest.Engine) {
	t.Helper()
	root := t.TempDir()
	for _, dir := range []string{"bin", "tmp", "root", "out"} {
		if err := os.Mkdir(filepath.Join(root, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	addShell(t, root)
	cache, goroot := warmCache(t), strings.TrimSpace(run(t, ".", "go", "env", "GOROOT"))
	importTar(t, e, buildImage, []string{
		"ENV PATH=" + filepath.Join(goroot, "bin") + ":/bin", "ENV GOROOT=" + goroot, "ENV HOME=/root",
		"ENV GOPROXY=off", "ENV GOFLAGS=", "ENV GOTOOLCHAIN=local", "ENV GOMODCACHE=/cache/mod", "ENV GOCACHE=/cache/build",
	}, "--exclude=*_test.go", "--exclude=testdata", "-C", "/", strings.TrimPrefix(goroot, "/"), "-C", cache, "cache", "-C", root, ".")
	importTar(t, e, runtimeImage, nil, "-C", root, "tmp")
}

// addShell puts a shell and what builds need besides into the directory bin of a tree.
func addShell(t *testing.T, root string) {
	t.Helper()
	if err := server.Install("busybox", "busybox"); err != nil {
		t.Fatal(err)
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, busybox, filepath.Join(root, "bin/busybox"))
	for _, name := range []string{"sh", "mkdir", "touch", "false", "env"} {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	addLibraries(t, root, busybox)
}

// addLibraries puts the libraries of a program into a tree, where the program looks for them.
func addLibraries(t *testing.T, root, program string) {
	t.Helper()
	list, _ := exec.Command("ldd", program).Output() // it fails for one that is static
	for _, word := range strings.Fields(string(list)) {
		if strings.HasPrefix(word, "/") {
			copyFile(t, word, filepath.Join(root, word))
		}
	}
}

// warmCache returns a directory with a directory cache, which has the modules of the stack and what they compile to. It
// is kept from one test run to the next.
func warmCache(t testing.TB) string {
	t.Helper()
	source, err := filepath.Abs("../../../testdata/infracore")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(source, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := server.Cache("infracore-go", string(sums), runtime.Version())
	if err != nil {
		t.Fatal(err)
	}
	mod, build := filepath.Join(dir, "cache/mod"), filepath.Join(dir, "cache/build")
	if err := errors.Join(os.MkdirAll(mod, 0o755), os.MkdirAll(build, 0o755)); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"mod", "download"},
		{"build", "-trimpath", "-buildvcs=false", "-mod=readonly", "-ldflags", "-s -w", "-o", t.TempDir() + "/", "./cmd/..."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = source
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-modcacherw", "GOMODCACHE="+mod, "GOCACHE="+build)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", args[0], err, out)
		}
	}
	return dir
}

// importTar makes an image of what tar packs.
func importTar(t *testing.T, e *enginetest.Engine, ref string, changes []string, args ...string) {
	t.Helper()
	cmd := exec.Command("tar", append([]string{"--create", "--owner=0", "--group=0", "--numeric-owner"}, args...)...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	answer, err := e.API.ImageImport(t.Context(), image.ImportSource{Source: pipe, SourceName: "-"}, ref, image.ImportOptions{Changes: changes})
	if err == nil {
		_, err = io.Copy(io.Discard, answer)
		answer.Close()
	}
	_, _ = io.Copy(io.Discard, pipe)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		t.Fatalf("make the image %s: %v\n%s", ref, err, complaints.String())
	}
}

// push gives an image another name, and brings it to the registry.
func push(t *testing.T, e *enginetest.Engine, ref, to string) {
	t.Helper()
	r := e.Registry()
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: r.User, Password: r.Password})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.API.ImageTag(t.Context(), ref, to); err != nil {
		t.Fatal(err)
	}
	answer, err := e.API.ImagePush(t.Context(), to, image.PushOptions{RegistryAuth: auth})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Close()
	if text, err := io.ReadAll(answer); err != nil || strings.Contains(string(text), `"error"`) {
		t.Fatalf("push %s: %v\n%s", to, err, text)
	}
	if _, err := e.API.ImageRemove(t.Context(), to, image.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
}
