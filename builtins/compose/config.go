package compose

import (
	"maps"
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/runtime"
)

type configArgs struct {
	projectArgs
	Texts runtime.StringMap `arg:"texts" default:"" doc:"what is in files that are not there yet, such as those of a commit, by their names relative to dir"`
}

var configBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.config", Permission: "`docker` on all that lets a container out, such as host-path:/PATH; `fs.read` on the files",
	Returns: "struct(name, services = {name: struct(image, builds, ports = [int], replicas, has_healthcheck)}, volumes = [name], networks = [name], text)",
	Doc: "Reads and resolves a project, and checks it against the permissions. It asks neither the engine nor Compose. Names of " +
		"volumes and networks are those that the engine knows. The text is the resolved project as compose.up writes it: there may be " +
		"secrets in it.",
	Example: `images = [s.image for s in compose.config("/opt/infra-core/current", name = "infra-core").services.values()]`,
}, func(c *runtime.Call, a configArgs) (starlark.Value, error) {
	p, err := a.LoadWith(c, a.Texts)
	if err != nil {
		return nil, err
	}
	resolved, err := canonicalize(p, composefile.Contents(c, p))
	if err != nil {
		return nil, err
	}
	services := starlark.NewDict(len(p.Services))
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		s := p.Services[name]
		var ports []starlark.Value
		for _, n := range composefile.HostPorts(s) {
			ports = append(ports, starlark.MakeInt(n))
		}
		err := services.SetKey(starlark.String(name), structOf(starlark.StringDict{
			"image": starlark.String(s.Image), "builds": starlark.Bool(s.Build != nil), "ports": starlark.NewList(ports),
			"replicas": starlark.MakeInt(s.GetScale()), "has_healthcheck": starlark.Bool(checked(s)),
		}))
		if err != nil {
			return nil, err
		}
	}
	var volumes, networks []starlark.Value
	for _, key := range slices.Sorted(maps.Keys(p.Volumes)) {
		volumes = append(volumes, starlark.String(p.Volumes[key].Name))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Networks)) {
		networks = append(networks, starlark.String(p.Networks[key].Name))
	}
	return structOf(starlark.StringDict{
		"name": starlark.String(p.Name), "services": services, "volumes": starlark.NewList(volumes),
		"networks": starlark.NewList(networks), "text": starlark.String(resolved.text),
	}), nil
})
