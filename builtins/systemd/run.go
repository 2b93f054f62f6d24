package systemd

import (
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// The verbs that make a unit run, or not.
const (
	start   = "start"
	stop    = "stop"
	restart = "restart"
	reload  = "reload"
)

type runArgs struct {
	Unit    string          `arg:"unit" doc:"the unit; without an end it is a service"`
	Timeout runtime.Seconds `arg:"timeout" default:"1m30s" doc:"how long it may take, in seconds"`
	Ports   portList        `arg:"ports" default:"" doc:"the TCP ports that it listens on: a preview sees them taken while it runs, and free when it does not"`
}

type restartArgs struct {
	Unit    string          `arg:"unit" doc:"the unit; without an end it is a service"`
	Timeout runtime.Seconds `arg:"timeout" default:"1m30s" doc:"how long it may take, in seconds"`
	Ports   portList        `arg:"ports" default:"" doc:"the TCP ports that it listens on: a preview sees them taken"`
	Unless  string          `arg:"unless_invocation" default:"" doc:"nothing is to do if the unit still runs as this invocation, which systemd.status told"`
}

type reloadArgs struct {
	Unit    string          `arg:"unit" doc:"the unit; without an end it is a service"`
	Timeout runtime.Seconds `arg:"timeout" default:"1m30s" doc:"how long it may take, in seconds"`
}

var startBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.start", Returns: changedDoc, Permission: unitPermission, Undo: runtime.Exact,
	Doc: "Starts a unit, and those that it needs, unless it runs. It waits until systemd says that it has started: for a " +
		"service of Type=notify when it is ready, of Type=exec when its program runs, and of Type=simple already before that. " +
		"systemd.wait_active tells whether it stays up. If it fails, the error has its last lines in the journal. Undo stops " +
		"it, and what was started with it.",
	Example: `systemd.start("infra-core-console", ports = [8082])` + "\n" + `systemd.wait_active("infra-core-console", stable = 5)`,
}, func(c *runtime.Call, a runArgs) (starlark.Value, error) {
	return doRun(c, a.Unit, &running{verb: start, timeout: a.Timeout.Duration, ports: a.Ports})
})

var stopBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.stop", Returns: changedDoc, Permission: unitPermission, Undo: runtime.Compensating,
	Doc: "Stops a unit that runs, and those that need it, and waits until it has stopped. Undo starts it again, and what was " +
		"stopped with it, after everything that this run changed later has been put back. So a recipe that changes what a " +
		"service reads or runs stops it before, and starts it afterwards.",
	Example: `systemd.stop("infra-core-console")` + "\n" + `fs.symlink(release, "/opt/infra-core/current")` + "\n" +
		`systemd.start("infra-core-console")`,
}, func(c *runtime.Call, a runArgs) (starlark.Value, error) {
	return doRun(c, a.Unit, &running{verb: stop, timeout: a.Timeout.Duration, ports: a.Ports})
})

var restartBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.restart", Returns: changedDoc, Permission: unitPermission, Undo: runtime.Compensating,
	Doc: "Stops a unit and starts it again, or only starts it if it does not run. Undo has it run if it did before, and stops " +
		"it if not; it is then not restarted after files that this run changed before have been put back, unless " +
		"systemd.unit or systemd.stop of the same run came before. A restart pushed with rollback.push before such a file " +
		"is changed does that: unless_invocation has it done only if there was one.",
	Example: `now = systemd.status("console")` + "\n" +
		`rollback.push(systemd.restart, "console", unless_invocation = now.invocation)`,
}, func(c *runtime.Call, a restartArgs) (starlark.Value, error) {
	return doRun(c, a.Unit, &running{verb: restart, timeout: a.Timeout.Duration, ports: a.Ports, unless: a.Unless})
})

var reloadBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.reload", Returns: changedDoc, Permission: unitPermission, Undo: runtime.NoUndo,
	Doc: "Has a unit that runs read its configuration anew, as its ExecReload= says. Nothing undoes that: push a reload with " +
		"rollback.push before the configuration is changed, so that it is read again after it is back.",
	Example: `rollback.push(systemd.reload, "nginx")`,
}, func(c *runtime.Call, a reloadArgs) (starlark.Value, error) {
	return doRun(c, a.Unit, &running{verb: reload, timeout: a.Timeout.Duration})
})

func doRun(c *runtime.Call, unit string, r *running) (starlark.Value, error) {
	var err error
	if r.unit, err = resolve(c, unit); err != nil {
		return nil, err
	}
	return c.Do(r)
}

// portList is a parameter that takes a list of TCP ports.
type portList []int

// TypeName names the type in documentation.
func (*portList) TypeName() string { return "list of int" }

// Unpack implements starlark.Unpacker.
func (p *portList) Unpack(v starlark.Value) error {
	list, ok := v.(starlark.Sequence)
	if !ok {
		return fmt.Errorf("got %s, want a list of ports", v.Type())
	}
	for e := range starlark.Elements(list) {
		port, err := starlark.AsInt32(e)
		if err != nil || port < 1 || port > 65535 {
			return fmt.Errorf("%s is no port, which is 1 to 65535", e)
		}
		*p = append(*p, port)
	}
	return nil
}
