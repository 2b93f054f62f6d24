package enginetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/crypto/bcrypt"
)

// Registry is a registry on this machine that asks for a name and a password.
type Registry struct {
	Address  string // host:port
	User     string
	Password string

	alive io.WriteCloser
	ended chan error
}

// registryConfig is what the registry reads.
const registryConfig = `version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %[1]s/storage}
  delete: {enabled: true}
http: {addr: "%[2]s", secret: for-tests}
auth:
  htpasswd: {realm: tests, path: %[1]s/htpasswd}
`

// registryScript runs a command until its standard input ends.
const registryScript = `"$@" >"$LOG" 2>&1 & pid=$!; cat >/dev/null; kill "$pid" 2>/dev/null; wait "$pid"`

// Registry returns a registry. It is started when the first test asks for it, and serves all of the process: give images
// names of the test's own.
func (e *Engine) Registry() *Registry {
	e.t.Helper()
	if e.process.registry == nil {
		r, err := startRegistry(filepath.Join(e.dir, "registry"), "127.0.0.1")
		e.must(err)
		e.process.registry = r
	}
	return e.process.registry
}

// startRegistry starts a registry on a free port of an address of this machine.
func startRegistry(dir, address string) (*Registry, error) {
	r := &Registry{User: "deployer", Password: "registry-password-1", ended: make(chan error, 1)}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	r.Address = net.JoinHostPort(address, strconv.Itoa(port))
	hash, err := bcrypt.GenerateFromPassword([]byte(r.Password), bcrypt.MinCost)
	if err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "config.yml")
	err = errors.Join(
		os.Mkdir(dir, 0o700),
		os.WriteFile(config, fmt.Appendf(nil, registryConfig, dir, r.Address), 0o600),
		os.WriteFile(filepath.Join(dir, "htpasswd"), fmt.Appendf(nil, "%s:%s\n", r.User, hash), 0o600),
	)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("sh", "-c", registryScript, "sh", "docker-registry", "serve", config)
	cmd.Env = append(os.Environ(), "LOG="+filepath.Join(dir, "log"))
	if r.alive, err = keepAlive(cmd, r.ended); err != nil {
		return nil, fmt.Errorf("start the registry: %w", err)
	}
	return r, r.wait(filepath.Join(dir, "log"))
}

// wait waits until the registry answers.
func (r *Registry) wait(log string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+r.Address+"/v2/", nil)
		if err != nil {
			return err
		}
		if answer, err := http.DefaultClient.Do(req); err == nil {
			answer.Body.Close()
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			text, _ := os.ReadFile(log)
			return fmt.Errorf("the registry does not answer: %w\n%s", ctx.Err(), text)
		}
	}
}

func (r *Registry) stop() {
	r.alive.Close()
	<-r.ended
}
