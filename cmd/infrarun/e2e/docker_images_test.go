package e2e

import (
	"crypto/sha256"
	"encoding/hex"
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
	files := addShell(t, root)
	cache, goroot := warmCache(t), strings.TrimSpace(run(t, ".", "go", "env", "GOROOT"))
	importTar(t, e, buildImage, []string{
		"ENV PATH=" + filepath.Join(goroot, "bin") + ":/bin", "ENV GOROOT=" + goroot, "ENV HOME=/root",
		"ENV GOPROXY=off", "ENV GOFLAGS=", "ENV GOTOOLCHAIN=local", "ENV GOMODCACHE=/cache/mod", "ENV GOCACHE=/cache/build",
	}, append([]string{
		"--exclude=*_test.go", "--exclude=testdata", "-C", "/", strings.TrimPrefix(goroot, "/"),
		"-C", cache, "cache", "-C", root, "bin", "tmp", "root", "out", "-C", "/",
	}, files...)...)
	importTar(t, e, runtimeImage, nil, "-C", root, "tmp")
}

// addShell puts a shell and what builds need besides into a tree, and returns the libraries that it needs, relative to /.
func addShell(t *testing.T, root string) []string {
	t.Helper()
	if err := server.Install("busybox", "busybox"); err != nil {
		t.Fatal(err)
	}
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		t.Fatal(err)
	}
	copyFile(t, busybox, filepath.Join(root, "bin/busybox"))
	for _, name := range []string{"sh", "mkdir", "touch", "false"} {
		if err := os.Symlink("busybox", filepath.Join(root, "bin", name)); err != nil {
			t.Fatal(err)
		}
	}
	list, _ := exec.Command("ldd", busybox).Output() // it fails for one that is static
	var libraries []string
	for _, word := range strings.Fields(string(list)) {
		if !strings.HasPrefix(word, "/") {
			continue
		}
		libraries = append(libraries, strings.TrimPrefix(word, "/"))
	}
	return append([]string{"--dereference", "--hard-dereference"}, libraries...)
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
	sum := sha256.Sum256(append(sums, runtime.Version()...))
	base := os.Getenv("INFRARUN_TEST_CACHE")
	if base == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			t.Fatal(err)
		}
		base = filepath.Join(user, "infrarun-test")
	}
	dir := filepath.Join(base, "infracore-go-"+hex.EncodeToString(sum[:6]))
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
