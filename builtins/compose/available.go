package compose

import (
	"errors"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

type noArgs struct{}

var availableBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.available", Returns: "struct(command, version), or None if there is none: command as a list, such as [\"docker\", \"compose\"]",
	Doc: "Looks for the Compose of this machine, as the other builtins do: the plugin of the docker command, or else docker-compose. " +
		"It is asked for its version; no engine is needed for that. docker.available tells whether there is one.",
	Example: `if not compose.available():` + "\n" + `    pkg.install(["docker-compose"])`,
}, func(c *runtime.Call, _ noArgs) (starlark.Value, error) {
	found, err := lookForCLI(c.Context(), c.Reader())
	if errors.Is(err, errNoCompose) {
		return starlark.None, nil
	} else if err != nil {
		return nil, err
	}
	command := make([]starlark.Value, len(found.argv))
	for i, word := range found.argv {
		command[i] = starlark.String(word)
	}
	return structOf(starlark.StringDict{"command": starlark.NewList(command), "version": starlark.String(found.version)}), nil
})
