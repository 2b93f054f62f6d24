package compose

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

var psBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.ps", Permission: "`docker` on compose:name",
	Returns: "list of struct(service, number, name, id, state, health, exit_code, restarts, restart, image, ports = [int]); restart is no, always, unless-stopped or on-failure; health is \"\" without a health check, ports are those of this machine",
	Doc: "Lists the containers of a project, by service and number, also those that do not run. In a preview that has changed the " +
		"project they are not known.",
	Example: `for c in compose.ps("infra-core"): log.info("%s is %s" % (c.service, c.state))`,
}, func(c *runtime.Call, a nameArgs) (starlark.Value, error) {
	running, err := look(c, a.Name)
	if err != nil {
		return nil, err
	}
	if _, ok := predictions(c.Reader().World()).of(a.Name); ok {
		return unknownContainers(a.Name), nil
	}
	list := make([]starlark.Value, len(running))
	for i, r := range running {
		list[i] = containerValue(r)
	}
	return starlark.NewList(list), nil
})

// look returns the containers of a project that the recipe may see.
func look(c *runtime.Call, name string) ([]replica, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if err := c.Need(need(name)); err != nil {
		return nil, err
	}
	e, err := engine.Look(c.Context(), c.Reader())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	running, err := inspect(c.Context(), e, name)
	see(c.Reader(), running)
	return running, err
}

func containerValue(r replica) starlark.Value {
	health := ""
	if r.State.Health != nil && r.State.Health.Status != "none" {
		health = string(r.State.Health.Status)
	}
	var ports []starlark.Value
	if r.NetworkSettings != nil {
		for _, bindings := range r.NetworkSettings.Ports {
			for _, b := range bindings {
				if n, err := strconv.Atoi(b.HostPort); err == nil && !strings.Contains(b.HostIP, ":") {
					ports = append(ports, starlark.MakeInt(n))
				}
			}
		}
	}
	return structOf(starlark.StringDict{
		"service": starlark.String(r.service), "number": starlark.MakeInt(r.number), "name": starlark.String(r.name()),
		"id": starlark.String(r.ID), "state": starlark.String(r.State.Status), "health": starlark.String(health),
		"exit_code": starlark.MakeInt(r.State.ExitCode), "restarts": starlark.MakeInt(r.RestartCount),
		"restart": starlark.String(cmp.Or(r.HostConfig.RestartPolicy.Name, container.RestartPolicyDisabled)), "image": starlark.String(r.Config.Image), "ports": starlark.NewList(ports),
	})
}

type logsArgs struct {
	nameArgs
	Services runtime.Strings `arg:"services" default:"" doc:"only of these services"`
	Tail     int             `arg:"tail" default:"100" doc:"how many lines of each container, from the end"`
	Since    runtime.Seconds `arg:"since" default:"" doc:"only what is not older than so many seconds"`
}

// maxLog is how much of the log of one container is given to a recipe, in bytes.
const maxLog = 1 << 20

var logsBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.logs", Permission: "`docker` on compose:name", Returns: "string, each line begins with the container's name",
	Doc: "Returns what the containers of a project have printed last, container after container. In a preview that has changed " +
		"the project it is that of the containers that there are.",
	Example: `text = compose.logs("infra-core", services = ["gate"], tail = 20)`,
}, func(c *runtime.Call, a logsArgs) (starlark.Value, error) {
	running, err := look(c, a.Name)
	if err != nil {
		return nil, err
	}
	if a.Tail < 1 {
		return nil, fmt.Errorf("tail is %d, want at least 1", a.Tail)
	}
	e, err := engine.Look(c.Context(), c.Reader())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	which := container.LogsOptions{Tail: strconv.Itoa(a.Tail)}
	if a.Since.Duration > 0 {
		which.Since = a.Since.String()
	}
	var all strings.Builder
	for _, r := range running {
		if len(a.Services) > 0 && !slices.Contains(a.Services, r.service) {
			continue
		}
		text, err := e.Logs(c.Context(), &r.InspectResponse, which, maxLog)
		if err != nil {
			return nil, fmt.Errorf("container %s: %w", r.name(), err)
		}
		for _, line := range engine.LastLines(text, a.Tail) {
			fmt.Fprintf(&all, "%s | %s\n", r.name(), line)
		}
	}
	return starlark.String(all.String()), nil
})
