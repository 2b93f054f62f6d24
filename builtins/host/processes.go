package host

import (
	"fmt"
	"os/user"
	"strconv"

	"github.com/shirou/gopsutil/v3/process"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/runtime"
)

type processesArgs struct {
	Name string `arg:"name" default:"" doc:"only processes of this name, as ps -C takes it; empty: all"`
}

var processesBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.processes", Returns: "list of struct(pid, name, command, user, memory)",
	Doc: "Lists what runs, by pid: command is the list of arguments, user the owner's name, memory what is resident, in " +
		"bytes. Processes that start or end meanwhile may be missing. A preview lists what runs now.",
	Example: `[p.pid for p in host.processes("nginx")]`,
}, func(c *runtime.Call, a processesArgs) (starlark.Value, error) {
	pids, err := process.PidsWithContext(c.Context())
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	list := starlark.NewList(nil)
	users := userNames{}
	for _, pid := range pids {
		if c.Context().Err() != nil {
			return nil, c.Context().Err()
		}
		p, ok := describe(c, &process.Process{Pid: pid}, a.Name, users)
		if !ok {
			continue
		}
		if err := list.Append(p); err != nil {
			return nil, err
		}
	}
	return list, nil
})

// describe returns a process, unless it has ended or has another name than is looked for.
func describe(c *runtime.Call, p *process.Process, name string, users userNames) (starlark.Value, bool) {
	ctx := c.Context()
	own, err := p.NameWithContext(ctx)
	if err != nil || name != "" && own != name {
		return nil, false
	}
	command, err := p.CmdlineSliceWithContext(ctx)
	if err != nil {
		return nil, false
	}
	uids, err := p.UidsWithContext(ctx)
	if err != nil || len(uids) < 2 {
		return nil, false
	}
	memory, err := p.MemoryInfoWithContext(ctx)
	if err != nil {
		return nil, false
	}
	return result(starlark.StringDict{
		"pid":     starlark.MakeInt(int(p.Pid)),
		"name":    starlark.String(own),
		"command": texts(command),
		"user":    starlark.String(users.name(uids[1])), // the effective one
		"memory":  starlark.MakeUint64(memory.RSS),
	}), true
}

func texts(list []string) starlark.Value {
	values := make([]starlark.Value, len(list))
	for i, s := range list {
		values[i] = starlark.String(s)
	}
	return starlark.NewList(values)
}

// userNames remembers the names of users, since each costs a look into a file.
type userNames map[int32]string

func (names userNames) name(uid int32) string {
	if name, ok := names[uid]; ok {
		return name
	}
	id := strconv.Itoa(int(uid))
	names[uid] = id
	if u, err := user.LookupId(id); err == nil {
		names[uid] = u.Username
	}
	return names[uid]
}

type portArgs struct {
	Port int `arg:"port" doc:"a TCP port, 1 to 65535"`
}

var portOwnerBuiltin = runtime.Define(runtime.Builtin{
	Name: "host.port_owner", Returns: "struct(pid, name, command) or None",
	Doc: "Returns who listens on a TCP port of this machine, on any address; None if nobody does. pid is 0 and name empty if " +
		"somebody does whom only root may see. In a preview it is what will be: what this run starts has its name and pid 0.",
	Example: `owner = host.port_owner(8082)`,
}, func(c *runtime.Call, a portArgs) (starlark.Value, error) {
	if a.Port < 1 || a.Port > 65535 {
		return nil, fmt.Errorf("for parameter port: got %d, want 1 to 65535", a.Port)
	}
	var owner ports.Owner
	switch state, by := ports.Of(c.Reader().World()).Lookup(a.Port); state {
	case ports.Free:
		return starlark.None, nil
	case ports.Taken:
		owner = ports.Owner{Name: by}
	default:
		var found bool
		var err error
		if owner, found, err = ports.Listener(a.Port); err != nil || !found {
			return starlark.None, err
		}
	}
	return result(starlark.StringDict{
		"pid":     starlark.MakeInt(owner.PID),
		"name":    starlark.String(owner.Name),
		"command": texts(owner.Command),
	}), nil
})
