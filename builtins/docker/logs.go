package docker

import (
	"context"
	"fmt"
	"strconv"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type logsArgs struct {
	Name  string `arg:"name" doc:"the container's name, or its whole id"`
	Since string `arg:"since" default:"" doc:"only what is not older: \"10m\", or a time such as \"2026-01-31T12:00:00Z\""`
	Lines int    `arg:"lines" default:"100" doc:"how many lines at most, the last ones"`
}

var logsBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.logs", Returns: "list of string: the lines, the oldest first, of both streams", Permission: containerPermission,
	Doc: "Returns what a container has printed. It is an error if there is no such container. In a preview that makes or " +
		"replaces it there are no lines yet.",
	Example: `errors = [l for l in docker.logs("console", since = "10m") if "ERROR" in l]`,
}, func(c *runtime.Call, a logsArgs) (starlark.Value, error) {
	if a.Lines < 1 {
		return nil, fmt.Errorf("lines is %d, want 1 or more", a.Lines)
	}
	return withContainer(c, a.Name, func(ctx context.Context, e *engine.Client, seen seenContainer) (starlark.Value, error) {
		switch {
		case !seen.there:
			return nil, noContainer(a.Name)
		case !seen.isThere():
			return starlark.NewList(nil), nil
		}
		text, err := containerLogs(ctx, e, seen.real.ID, container.LogsOptions{Since: a.Since, Tail: strconv.Itoa(a.Lines)})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", a.Name, err)
		}
		return listOf(engine.LastLines(text, a.Lines)), nil
	})
})

func noContainer(name string) error {
	return fmt.Errorf("there is no container %s; docker.containers(all = True) lists those that there are", name)
}

// maxLogs bounds what is read of logs, in bytes.
const maxLogs = 16 << 20

// containerLogs reads what a container has printed.
func containerLogs(ctx context.Context, e *engine.Client, id string, options container.LogsOptions) (string, error) {
	c, err := e.Container(ctx, id)
	if err != nil {
		return "", err
	} else if c == nil {
		return "", noContainer(id)
	}
	return e.Logs(ctx, c, options, maxLogs)
}
