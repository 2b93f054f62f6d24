package compose

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

// cli is the Compose of this machine.
type cli struct {
	argv    []string // docker compose, or docker-compose
	version string   // as it says
	one     bool     // it is version 1
	host    string   // DOCKER_HOST for it, "" where it finds the engine by itself
	assumed bool     // a preview takes for granted that there will be one
}

func (c *cli) String() string {
	if c.assumed {
		return "Docker Compose"
	}
	return strings.Join(c.argv, " ") + " " + c.version
}

// errNoCompose says that there is none.
var errNoCompose = errors.New("there is no Docker Compose on this machine: neither `docker compose` nor docker-compose " +
	"answers; install the package docker-compose-plugin or docker-compose")

// versionTimeout is how long a Compose has to tell its version.
const versionTimeout = 20 * time.Second

// found remembers the Compose of a run.
type found struct {
	mu  sync.Mutex
	cli *cli
}

// findCLI returns the Compose of this machine: the plugin of the docker command, or else docker-compose. A preview may be of
// a run that first installs it.
func findCLI(ctx context.Context, r *runtime.Reader, e *engine.Client) (*cli, error) {
	found, err := lookForCLI(ctx, r)
	switch {
	case errors.Is(err, errNoCompose) && r.Preview():
		return &cli{assumed: true}, nil
	case err != nil:
		return nil, err
	}
	c := *found
	if os.Getenv("DOCKER_HOST") == "" && strings.HasPrefix(e.DaemonHost(), "unix://") {
		c.host = e.DaemonHost()
	}
	return &c, nil
}

// lookForCLI is findCLI for who only wants to know of it: there need not be an engine.
func lookForCLI(ctx context.Context, r *runtime.Reader) (*cli, error) {
	known := runtime.Overlay(r.World(), "compose.cli", func() *found { return &found{} })
	known.mu.Lock()
	defer known.mu.Unlock()
	if known.cli != nil {
		return known.cli, nil
	}
	for _, argv := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		result, err := child.Probe(ctx, r, child.Spec{
			Argv: append(argv[:len(argv):len(argv)], "version", "--short"), Timeout: versionTimeout, Env: plainEnv,
		})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if version := strings.TrimSpace(result.Stdout); err == nil && version != "" {
			known.cli = &cli{argv: argv, version: version, one: strings.HasPrefix(strings.TrimPrefix(version, "v"), "1.")}
			return known.cli, nil
		}
	}
	return nil, errNoCompose
}

// assumptions joins what a preview takes for granted, the engine and the Compose among it, which a run may first install.
func assumptions(e *engine.Client, c *cli, more ...string) string {
	all := []string{e.Assumed()}
	if c != nil && c.assumed {
		all = append(all, "there is a Docker Compose by then, which understands the project")
	}
	all = append(all, more...)
	return strings.Join(slices.DeleteFunc(all, func(text string) bool { return text == "" }), "; ")
}

// plainEnv keeps Compose from taking from its surroundings what only the resolved file may say.
var plainEnv = map[string]string{
	"COMPOSE_FILE": "", "COMPOSE_PROJECT_NAME": "", "COMPOSE_PROFILES": "", "COMPOSE_ENV_FILES": "",
	"COMPOSE_DISABLE_ENV_FILE": "1", "COMPOSE_REMOVE_ORPHANS": "", "COMPOSE_IGNORE_ORPHANS": "1", "COMPOSE_MENU": "0",
	"COMPOSE_COMPATIBILITY": "", "COMPOSE_PROGRESS": "plain", "COMPOSE_ANSI": "never", "DOCKER_CLI_HINTS": "0",
}

// spec prepares a call: file is the resolved project, "-" for standard input.
func (c *cli) spec(project, file, dir string, args ...string) child.Spec {
	s := child.Spec{Env: map[string]string{}, Argv: append([]string(nil), c.argv...)}
	for name, value := range plainEnv {
		s.Env[name] = value
	}
	if c.host != "" {
		s.Env["DOCKER_HOST"] = c.host
	}
	s.Argv = append(s.Argv, "--ansi", "never", "-p", project, "-f", file, "--project-directory", dir)
	s.Argv = append(s.Argv, args...)
	return s
}

// recreation says which containers Compose makes anew of those that are there.
type recreation string

const (
	diverged recreation = ""                 // those that differ
	always   recreation = "--force-recreate" // all
	// None, as another Compose than the one that made a container would: each has an idea of its own of what differs.
	never recreation = "--no-recreate"
)

// up is the call that brings up services.
func (c *cli) up(project, file, dir string, services []string, how recreation) child.Spec {
	args := []string{"up", "-d", "--no-deps", "--no-build"}
	if !c.one {
		args = append(args, "--pull", "never")
	}
	if how != diverged {
		args = append(args, string(how))
	}
	if c.one {
		args = append([]string{"--compatibility"}, args...) // else it leaves out what stands under deploy
	}
	return c.spec(project, file, dir, append(append(args, "--"), services...)...)
}

// check has version 1 say whether it understands the resolved project. Later ones do: they read files as infrarun does.
func (c *cli) check(ctx context.Context, r *runtime.Reader, project string, text []byte) error {
	if c.assumed || !c.one {
		return nil
	}
	s := c.spec(project, "-", "/", "config", "--quiet")
	s.Stdin, s.Timeout = string(text), versionTimeout
	_, err := child.Probe(ctx, r, s)
	var failed *child.ExitError
	if errors.As(err, &failed) {
		return fmt.Errorf("%s does not understand the project, a Compose of version 2 may: %s", c, strings.Join(failed.Last, " "))
	}
	return err
}
