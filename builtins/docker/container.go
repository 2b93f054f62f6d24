package docker

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type containerArgs struct {
	Name string `arg:"name" doc:"its name, or its whole id"`
}

const containerPermission = "`docker` on container:name"

var containerBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.container", Permission: containerPermission,
	Returns: "struct(name, id, image, image_id, status, running, health, restart_count, exit_code, started, created, command, env, labels, " +
		"ports, mounts, networks, restart, user), or None: status is created, running, paused, restarting, exited or dead; health is " +
		"healthy, unhealthy, starting, or empty without a health check; started and created are RFC 3339 times; env a dict; ports a " +
		"list of struct(container, host, port) such as (\"8080/tcp\", \"127.0.0.1\", 8082); mounts a list of struct(type, source, " +
		"target, read_only); networks a dict from name to address",
	Doc:     "Looks at a container. In a preview that makes or replaces it only some of this is known.",
	Example: `c = docker.container("console")` + "\n" + `run.check("console", c != None and c.health == "healthy")`,
}, func(c *runtime.Call, a containerArgs) (starlark.Value, error) {
	return withContainer(c, a.Name, func(_ context.Context, _ *engine.Client, seen seenContainer) (starlark.Value, error) {
		if !seen.there {
			return starlark.None, nil
		}
		return seen.value(), nil
	})
})

var idPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

// withContainer calls a function with a container, named by its name or id, if the recipe may reach the one of that name:
// an id is nothing that a permission could tell.
func withContainer(c *runtime.Call, name string,
	do func(context.Context, *engine.Client, seenContainer) (starlark.Value, error),
) (starlark.Value, error) {
	if !idPattern.MatchString(name) {
		if err := c.Need(needContainer(name)); err != nil {
			return nil, err
		}
	}
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		by := name
		if real, err := e.Container(ctx, name); err != nil {
			return nil, err
		} else if real != nil {
			by = strings.TrimPrefix(real.Name, "/")
		}
		if err := c.Need(needContainer(by)); err != nil {
			return nil, err
		}
		seen, err := lookContainer(ctx, e, c.Reader(), by)
		if err != nil {
			return nil, err
		}
		return do(ctx, e, seen)
	})
}

// seenContainer is a container as a recipe sees it.
type seenContainer struct {
	name           string
	there, running bool
	aspects        aspects
	real           *container.InspectResponse // what is there now; nil if there is none
	listed         *container.Summary
	predicted      *predictedContainer // nil if nothing is predicted
}

// lookContainer looks at a container by its name, through what a preview predicts.
func lookContainer(ctx context.Context, e *engine.Client, r *runtime.Reader, name string) (seenContainer, error) {
	s := seenContainer{name: name}
	var err error
	if s.real, err = e.Container(ctx, name); err != nil {
		return s, err
	}
	o := overlayOf(r.World())
	if p, ok := lookup(o, o.containers, name); ok && r.Preview() {
		s.predicted, s.there, s.running, s.aspects = &p, p.there, p.running, p.aspects
		return s, nil
	}
	if c := s.real; c != nil {
		if by := strings.TrimPrefix(c.Name, "/"); by != name {
			return s, fmt.Errorf("%s is the id of container %s: give its name", name, by)
		}
		s.there, s.running = true, c.State.Running && !c.State.Paused && !c.State.Restarting
		s.aspects = parseAspects(c.Config.Labels[definitionLabel])
	}
	return s, nil
}

// isThere reports whether the container that is there can be asked for what a preview wants to know of this one.
func (s seenContainer) isThere() bool {
	return s.real != nil && (s.predicted == nil || !s.predicted.made)
}

// runsAlready reports whether a command can be run in it, though a preview may predict it.
func (s seenContainer) runsAlready() bool {
	return s.isThere() && s.real.State.Running && !s.real.State.Paused && !s.real.State.Restarting
}

// status is the state in a word.
func (s seenContainer) status() string {
	switch {
	case s.predicted != nil && s.running:
		return "running"
	case s.predicted != nil:
		return "exited"
	case s.real != nil:
		return s.real.State.Status
	}
	return "not there"
}

// portsOf are the TCP ports of this machine that lead to a container.
func portsOf(c *container.InspectResponse) []int {
	if c == nil || c.HostConfig == nil {
		return nil
	}
	return hostPorts(c.HostConfig.PortBindings)
}

var containerFields = []string{
	"name", "id", "image", "image_id", "status", "running", "health", "restart_count", "exit_code", "started", "created", "command",
	"env", "labels", "ports", "mounts", "networks", "restart", "user",
}

// value is what a recipe gets.
func (s seenContainer) value() starlark.Value {
	if s.predicted == nil {
		return containerValue(s.real)
	}
	return partial("container "+s.name+", which this run makes or changes,", containerFields, s.known())
}

func (s seenContainer) known() starlark.StringDict {
	return starlark.StringDict{
		"name": starlark.String(s.name), "image": starlark.String(s.predicted.image), "running": starlark.Bool(s.running),
		"status": starlark.String(s.status()), "labels": dictOf(s.predicted.labels),
	}
}

// withoutOwn leaves out the labels that are infrarun's own.
func withoutOwn(labels map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range labels {
		if !strings.HasPrefix(name, "infrarun.") {
			all[name] = value
		}
	}
	return all
}

func containerValue(c *container.InspectResponse) starlark.Value {
	health := ""
	if c.State.Health != nil && c.State.Health.Status != container.NoHealthcheck {
		health = c.State.Health.Status
	}
	started := c.State.StartedAt
	if t, err := time.Parse(time.RFC3339Nano, started); err != nil || t.IsZero() {
		started = ""
	}
	return structOf(starlark.StringDict{
		"name": starlark.String(strings.TrimPrefix(c.Name, "/")), "id": starlark.String(c.ID),
		"image": starlark.String(c.Config.Image), "image_id": starlark.String(c.Image),
		"status": starlark.String(c.State.Status), "running": starlark.Bool(c.State.Running), "health": starlark.String(health),
		"restart_count": starlark.MakeInt(c.RestartCount), "exit_code": starlark.MakeInt(c.State.ExitCode),
		"started": starlark.String(started), "created": starlark.String(c.Created),
		"command": listOf(append(slices.Clone(c.Config.Entrypoint), c.Config.Cmd...)), "env": dictOf(envOf(c.Config.Env)),
		"labels": dictOf(withoutOwn(c.Config.Labels)), "ports": portValues(c), "mounts": mountValues(c), "networks": dictOf(addresses(c)),
		"restart": starlark.String(c.HostConfig.RestartPolicy.Name), "user": starlark.String(c.Config.User),
	})
}

func envOf(list []string) map[string]string {
	all := map[string]string{}
	for _, v := range list {
		name, value, _ := strings.Cut(v, "=")
		all[name] = value
	}
	return all
}

func addresses(c *container.InspectResponse) map[string]string {
	all := map[string]string{}
	for name, n := range c.NetworkSettings.Networks {
		all[name] = n.IPAddress
	}
	return all
}

func portValues(c *container.InspectResponse) starlark.Value {
	var values []starlark.Value
	for _, port := range sortedKeys(c.NetworkSettings.Ports) {
		for _, b := range c.NetworkSettings.Ports[port] {
			var n int
			if _, err := fmt.Sscan(b.HostPort, &n); err != nil {
				continue
			}
			values = append(values, structOf(starlark.StringDict{
				"container": starlark.String(port), "host": starlark.String(b.HostIP), "port": starlark.MakeInt(n),
			}))
		}
	}
	return starlark.NewList(values)
}

func mountValues(c *container.InspectResponse) starlark.Value {
	var values []starlark.Value
	for _, m := range c.Mounts {
		source := m.Source
		if m.Name != "" {
			source = m.Name
		}
		values = append(values, structOf(starlark.StringDict{
			"type": starlark.String(m.Type), "source": starlark.String(source), "target": starlark.String(m.Destination),
			"read_only": starlark.Bool(!m.RW),
		}))
	}
	return starlark.NewList(values)
}
