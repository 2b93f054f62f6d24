package docker

import (
	"context"
	"errors"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type noArgs struct{}

var availableBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.available", Returns: "bool",
	Doc: "Tells whether a Docker engine answers, where the docker command would look for it: DOCKER_HOST, the current " +
		"context, or the usual socket.",
	Example: `if not docker.available():` + "\n" + `    pkg.install(["docker.io"])`,
}, func(c *runtime.Call, _ noArgs) (starlark.Value, error) {
	e, err := engine.Open(c.Context())
	var unavailable *engine.UnavailableError
	if errors.As(err, &unavailable) {
		return starlark.False, nil
	} else if err != nil {
		return nil, err
	}
	e.Close()
	return starlark.True, nil
})

var infoBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.info",
	Returns: "struct(version, api, host, driver, root, os, arch, cpus, memory, containers, running, images, swarm): the versions of the " +
		"engine and of its API as it is spoken to, the address, the storage driver and its directory, memory in bytes, numbers of " +
		"containers and images, and whether it is part of a swarm",
	Doc: "Asks the engine about itself. It is an error if none answers; docker.available tells.",
}, func(c *runtime.Call, _ noArgs) (starlark.Value, error) {
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		if e.Assumed() != "" {
			return runtime.NewUnknown("what the Docker engine is", "there is none yet: docker.available tells"), nil
		}
		info, err := e.Info(ctx)
		if err != nil {
			return nil, engine.Explain(ctx, err)
		}
		return structOf(starlark.StringDict{
			"version": starlark.String(info.ServerVersion), "api": starlark.String(e.ClientVersion()),
			"host": starlark.String(e.DaemonHost()), "driver": starlark.String(info.Driver),
			"root": starlark.String(info.DockerRootDir), "os": starlark.String(info.OperatingSystem),
			"arch": starlark.String(info.Architecture), "cpus": starlark.MakeInt(info.NCPU),
			"memory": starlark.MakeInt64(info.MemTotal), "containers": starlark.MakeInt(info.Containers),
			"running": starlark.MakeInt(info.ContainersRunning), "images": starlark.MakeInt(info.Images),
			"swarm": starlark.Bool(info.Swarm.LocalNodeState == "active"),
		}), nil
	})
})

// withEngine calls a function with a connection that only looks.
func withEngine(c *runtime.Call, do func(context.Context, *engine.Client) (starlark.Value, error)) (starlark.Value, error) {
	e, err := engine.Look(c.Context(), c.Reader())
	if err != nil {
		return nil, err
	}
	defer e.Close()
	return do(c.Context(), e)
}

// looking calls a probe with a connection that only looks.
func looking(ctx context.Context, r *runtime.Reader, do func(*engine.Client) (runtime.Finding, error)) (runtime.Finding, error) {
	e, err := engine.Look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	found, err := do(e)
	if found.Needed && found.Assumed == "" {
		found.Assumed = e.Assumed()
	}
	return found, err
}

// refusal marks an error of a call that does one thing or nothing as one that changed nothing, if the engine has said no.
func refusal(err error) error {
	if engine.Said(err) {
		return runtime.NotApplied(err)
	}
	return err
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

func listOf(texts []string) starlark.Value {
	items := make([]starlark.Value, len(texts))
	for i, s := range texts {
		items[i] = starlark.String(s)
	}
	return starlark.NewList(items)
}

func dictOf(m map[string]string) starlark.Value {
	d := starlark.NewDict(len(m))
	for _, k := range sortedKeys(m) {
		_ = d.SetKey(starlark.String(k), starlark.String(m[k])) // a new dict, and keys that can be hashed
	}
	return d
}
