package host

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type userArgs struct {
	Name string `arg:"name" doc:"the user's name"`
}

var userBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.user", Returns: "struct(name, uid, gid, home, shell) or None",
	Doc:     "Returns a user of this machine, as /etc/passwd has it; None if there is none of that name.",
	Example: `if host.user("infracore") == None:` + "\n    log.info(\"the user will be made\")",
}, func(_ *runtime.Call, a userArgs) (starlark.Value, error) {
	text, err := os.ReadFile("/etc/passwd")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("look up the user %s: %w", a.Name, err)
	}
	u, ok := findUser(string(text), a.Name)
	if !ok {
		return starlark.None, nil
	}
	return result(starlark.StringDict{
		"name":  starlark.String(u.name),
		"uid":   starlark.MakeInt(u.uid),
		"gid":   starlark.MakeInt(u.gid),
		"home":  starlark.String(u.home),
		"shell": starlark.String(u.shell),
	}), nil
})

type passwdEntry struct {
	name     string
	uid, gid int
	home     string
	shell    string
}

// findUser looks for a name in a passwd(5) file. Lines that it does not understand are passed over.
func findUser(passwd, name string) (passwdEntry, bool) {
	for line := range strings.Lines(passwd) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(fields) != 7 || fields[0] != name || name == "" {
			continue
		}
		uid, err1 := strconv.Atoi(fields[2])
		gid, err2 := strconv.Atoi(fields[3])
		if err1 != nil || err2 != nil {
			continue
		}
		return passwdEntry{name, uid, gid, fields[5], fields[6]}, true
	}
	return passwdEntry{}, false
}

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
