// Package composetest gives tests a Docker Compose: version 1, Debian's package docker-compose, and a current one, which
// is compiled from the module in testdata/compose when it is first needed (half a minute or more) and kept in the cache
// of the tests.
//
//	composetest.Use(t, composetest.One)
//
// Only tests import it.
package composetest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/infrarun/infrarun/testdata/server"
)

// Version is a Compose.
type Version string

const (
	One     Version = "1"       // docker-compose 1.29, in Python
	Current Version = "current" // a plugin of the docker command
)

// Versions are all.
var Versions = []Version{Current, One}

// machinePath is where this machine has its programs: Use may be called again while an earlier call counts.
var machinePath = os.Getenv("PATH")

// Use lets the Compose that is found until the test ends be of that version.
func Use(t testing.TB, v Version) {
	t.Helper()
	t.Setenv("PATH", machinePath)
	bin := t.TempDir()
	links := map[string]string{} // by path
	command := func(name string) string { return filepath.Join(bin, name) }
	switch v {
	case One:
		if err := server.Install("docker-compose", "docker-compose"); err != nil {
			unavailable(t, err)
		}
		file, err := exec.LookPath("docker-compose")
		if err != nil {
			t.Fatal(err)
		}
		links[command("docker-compose")], links[command("docker")] = file, "/bin/false"
	case Current:
		if err := server.Install("docker.io", "docker"); err != nil {
			unavailable(t, err)
		}
		plugin, err := current()
		if err != nil {
			t.Fatalf("compile a current Compose: %v", err)
		}
		file, err := exec.LookPath("docker")
		if err != nil {
			t.Fatal(err)
		}
		config := t.TempDir()
		plugins := filepath.Join(config, "cli-plugins")
		if err := os.Mkdir(plugins, 0o700); err != nil {
			t.Fatal(err)
		}
		t.Setenv("DOCKER_CONFIG", config)
		links[command("docker")], links[filepath.Join(plugins, "docker-compose")] = file, plugin
	}
	for path, to := range links {
		if err := os.Symlink(to, path); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", bin+string(os.PathListSeparator)+machinePath)
}

// unavailable skips the test where its machine lacks something.
func unavailable(t testing.TB, err error) {
	t.Helper()
	var missing server.Unavailable
	if errors.As(err, &missing) {
		server.Skip(t, missing)
	}
	t.Fatal(err)
}

// current returns the file of a current Compose.
var current = sync.OnceValues(func() (string, error) {
	_, here, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(here), "..", "compose")
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return "", err
	}
	dir, err := server.Cache("compose", string(sums))
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "docker-compose")
	lock, err := os.Create(filepath.Join(dir, "lock"))
	if err != nil {
		return "", err
	}
	defer lock.Close()
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX); err != nil {
		return "", err
	}
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", file+".new", "github.com/docker/compose/v5/cmd")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return file, os.Rename(file+".new", file)
})
