package host

import (
	"fmt"
	"os"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type userArgs struct {
	Name string `arg:"name" doc:"the user's name"`
}

var userBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.user", Returns: "struct(name, uid, gid, home, shell) or None",
	Doc: "Returns a user of this machine, as /etc/passwd has it; None if there is none of that name. A preview finds " +
		"those that the run would make.",
	Example: `if host.user("infracore") == None:` + "\n    log.info(\"the user will be made\")",
}, func(c *runtime.Call, a userArgs) (starlark.Value, error) {
	u, ok, err := filesys.Read(c.Reader()).Account(a.Name)
	if err != nil {
		return nil, fmt.Errorf("look up the user %s: %w", a.Name, err)
	}
	if !ok {
		return starlark.None, nil
	}
	return result(starlark.StringDict{
		"name":  starlark.String(u.Name),
		"uid":   starlark.MakeInt(u.UID),
		"gid":   starlark.MakeInt(u.GID),
		"home":  starlark.String(u.Home),
		"shell": starlark.String(u.Shell),
	}), nil
})

type envArgs struct {
	Name    string `arg:"name" doc:"the variable"`
	Default string `arg:"default" default:"" doc:"the value if it is not set"`
}

var envBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.env", Returns: "string", Permission: "env on the name",
	Doc: "Returns an environment variable of infrarun. For a value that must not be seen there is secret.env; what differs " +
		"from one deployment to the next is better a param.",
	Example: `proxy = host.env("HTTPS_PROXY")`,
}, func(c *runtime.Call, a envArgs) (starlark.Value, error) {
	if err := c.Need(policy.Need{Kind: "env", Target: a.Name}); err != nil {
		return nil, err
	}
	if value, ok := os.LookupEnv(a.Name); ok {
		return starlark.String(value), nil
	}
	return starlark.String(a.Default), nil
})
