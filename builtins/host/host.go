// Package host is the family of builtins that describe the machine.
//
//	host.info()                    name, system, processors, who runs this
//	host.cpu(interval = 0.2)       how busy the processors are
//	host.memory()                  memory and swap
//	host.disk(path = "/")          the file system that holds a path
//	host.processes(name = "")      what runs
//	host.port_owner(port)          who listens on a port
//	host.user(name)                a user of this machine
//	host.env(name, default = "")   an environment variable
//
// All of them only look, and none starts a process to do so: a preview starts none. The figures come from gopsutil,
// of which only functions are used that read files and ask the kernel; host.Info, host.PlatformInformation and
// everything else that may run lsb_release or the like is not. Sizes are in bytes, shares in percent.
package host

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "host",
		Doc: "The machine: what it is and how busy it is. Everything here only looks, without starting a process. Sizes are in " +
			"bytes, shares in percent. The permission env names the environment variables that host.env may read.",
		Builtins: []*runtime.Builtin{
			infoBuiltin, cpuBuiltin, memoryBuiltin, diskBuiltin, processesBuiltin, portOwnerBuiltin, userBuiltin, envBuiltin,
		},
		Permissions: map[string]policy.Matcher{"env": policy.Names{}},
	}
}

// result is a struct with these fields.
func result(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
