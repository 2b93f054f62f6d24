package server

import (
	"context"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/fnv"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/shirou/gopsutil/v3/process"
)

// engine is a Docker engine.
type engine struct {
	host    string // as DOCKER_HOST; "" is the one that the docker command finds by itself
	network string // the network of its containers
	image   string // what servers start from; set by prepareImage

	prepare sync.Once
	failure error    // of prepare
	inUse   *os.File // open, and so locked, as long as this process lives
}

// ownerLabel tells for which process a container was made: those of processes that are gone are removed.
const ownerLabel = "infrarun.test.process"

func owner() string { return Identify(os.Getpid()) }

// Identify tells a process from every other that has or had its pid, by when it started; "" is a process that is gone.
func Identify(pid int) string {
	p, err := process.NewProcess(int32(pid))
	if err != nil {
		return ""
	}
	started, err := p.CreateTime()
	if err != nil {
		return ""
	}
	return fmt.Sprintf("%d-%d", pid, started)
}

// theEngine returns the engine that this process uses, which it keeps to its end.
var theEngine = sync.OnceValues(findEngine)

func findEngine() (*engine, error) {
	e := &engine{network: "bridge"}
	if e.answers() {
		return e, e.removeOrphans()
	}
	if os.Geteuid() != 0 {
		return nil, Unavailable("a server needs a Docker engine: none runs here, and only root could start one")
	}
	return ownEngine()
}

// ownEngine uses the engine of the tests, and starts it if nobody has.
func ownEngine() (*engine, error) {
	dir, err := Cache("engine")
	if err != nil {
		return nil, err
	}
	starting, err := lock(filepath.Join(dir, "start.lock"), syscall.LOCK_EX)
	if err != nil {
		return nil, err
	}
	defer starting.Close()
	if err := Install("docker.io", "dockerd", "docker", "flock"); err != nil {
		return nil, err
	}
	run := runDir(dir)
	e := &engine{host: "unix://" + filepath.Join(run, "docker.sock"), network: "infrarun-test"}
	// The engine is stopped when nobody holds this lock. The kernel lets go of it when this process ends, however it
	// does.
	if e.inUse, err = lock(filepath.Join(dir, "users.lock"), syscall.LOCK_SH); err != nil {
		return nil, err
	}
	if !e.answers() {
		if err := e.start(dir, run); err != nil {
			return nil, err
		}
	}
	if err := e.removeOrphans(); err != nil {
		return nil, err
	}
	ctx := context.Background()
	if _, err := e.docker(ctx, "network", "inspect", e.network); err != nil {
		if _, err := e.docker(ctx, "network", "create", e.network); err != nil {
			return nil, err
		}
	}
	return e, nil
}

// runDir is where an engine has its sockets, whose paths must be short.
func runDir(dir string) string {
	sum := fnv.New32a()
	sum.Write([]byte(dir))
	return "/run/infrarun-test-" + hex.EncodeToString(sum.Sum(nil))
}

//go:embed engine.sh
var engineScript string

// engineTimeout is how long the engine has until it answers.
const engineTimeout = time.Minute

func (e *engine) start(dir, run string) error {
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("sh", "-c", engineScript, "engine.sh", run, dir, e.network)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // it stops the engine after this process has ended
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the Docker engine: %w", err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	deadline := time.After(engineTimeout)
	for !e.answers() {
		select {
		case err := <-exited:
			return fmt.Errorf("the Docker engine ended at once (%w), see %s", err, log.Name())
		case <-deadline:
			return fmt.Errorf("the Docker engine does not answer after %v, see %s", engineTimeout, log.Name())
		case <-time.After(50 * time.Millisecond):
		}
	}
	return nil
}

func (e *engine) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	_, err := e.docker(ctx, "version", "--format", "{{.Server.Version}}")
	return err == nil
}

// removeOrphans removes the containers of test processes that were killed.
func (e *engine) removeOrphans() error {
	list, err := e.docker(context.Background(), "ps", "--all", "--filter", "label="+ownerLabel,
		"--format", `{{.ID}} {{.Label "`+ownerLabel+`"}}`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(list) {
		id, of, _ := strings.Cut(strings.TrimSpace(line), " ")
		number, _, _ := strings.Cut(of, "-")
		if pid, err := strconv.Atoi(number); err == nil && Identify(pid) == of {
			continue
		}
		// Another test process may remove it at the same moment.
		_, err := e.docker(context.Background(), "rm", "--force", "--volumes", id)
		if err != nil && !strings.Contains(err.Error(), "No such container") && !strings.Contains(err.Error(), "in progress") {
			return err
		}
	}
	return nil
}

// command prepares a call of the docker command.
func (e *engine) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "docker", args...)
	cmd.Env = os.Environ()
	if e.host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+e.host, "DOCKER_CONTEXT=")
	}
	return cmd
}

// docker calls the docker command and returns what it prints.
func (e *engine) docker(ctx context.Context, args ...string) (string, error) {
	out, err := e.command(ctx, args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		return "", fmt.Errorf("docker %s: %s", args[0], strings.TrimSpace(string(failed.Stderr)))
	} else if err != nil {
		return "", fmt.Errorf("docker %s: %w", args[0], err)
	}
	return string(out), nil
}
