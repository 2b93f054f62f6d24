package enginetest

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"
)

// childVariable is set in the process that is killed.
const childVariable = "INFRARUN_TEST_ENGINE_CHILD"

// TestChild is the process that is killed: it leaves a container that runs, in a network of its own.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		return
	}
	e := Start(t)
	e.Image("app:1")
	ctx := context.Background()
	made, err := e.API.NetworkCreate(ctx, "left", network.CreateOptions{})
	e.must(err)
	c, err := e.API.ContainerCreate(ctx, &container.Config{Image: "app:1"}, &container.HostConfig{NetworkMode: "left"}, nil, nil, "left")
	e.must(err)
	e.must(e.API.ContainerStart(ctx, c.ID, container.StartOptions{}))
	own, err := e.API.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	e.must(err)
	fmt.Println("ready", e.dir, own.Options["com.docker.network.bridge.name"], "br-"+made.ID[:12])
	select {}
}

// TestKilled: of an engine whose tests were killed nothing is left. Another one runs at the same time.
func TestKilled(t *testing.T) {
	e := Start(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childVariable+"=1")
	out, err := cmd.StdoutPipe()
	e.must(err)
	e.must(cmd.Start())
	var said []string
	for lines := bufio.NewScanner(out); len(said) == 0 && lines.Scan(); {
		if words := strings.Fields(lines.Text()); len(words) == 4 && words[0] == "ready" {
			said = words[1:]
		} else {
			t.Log(lines.Text())
		}
	}
	e.must(cmd.Process.Kill())
	_ = cmd.Wait() // it was killed
	if said == nil {
		t.Fatal("there was no other engine")
	}
	dir, devices := said[0], said[1:]
	for deadline := time.Now().Add(startTimeout); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(dir); os.IsNotExist(err) { // which goes last
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is still there", dir)
		}
	}
	for _, device := range devices {
		if _, err := os.Stat("/sys/class/net/" + device); err == nil {
			t.Errorf("the network device %s is left", device)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	e.must(err)
	if strings.Contains(string(mounts), dir+"/") {
		t.Errorf("mounts are left:\n%s", mounts)
	}
	commands, err := filepath.Glob("/proc/[0-9]*/cmdline")
	e.must(err)
	for _, file := range commands {
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), dir) {
			t.Errorf("a process is left: %q", text)
		}
	}
	_, err = e.API.Ping(t.Context())
	e.must(err)
}
