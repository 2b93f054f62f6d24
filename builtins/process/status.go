package process

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type statusArgs struct {
	Name string `arg:"name" doc:"its name"`
	Dir  string `arg:"dir" doc:"the directory of its start script"`
}

var statusBuiltin = runtime.Define(runtime.Builtin{
	Name: "process.status",
	Doc: "Tells whether a process that process.start started runs. Started is in seconds since 1970 and uptime in seconds; " +
		"both and pid are 0 if it does not run. Restarts is how often it had to be started again since process.start: while " +
		"a process keeps failing, running changes and restarts grows. Exit_code is that of the last time it ended, 128 and " +
		"the number of the signal if one killed it, None if it never did. Command is a list, empty if there is no such " +
		"process. In a preview that starts it, it runs, and pid, started and uptime are not known.",
	Returns:    "struct(name, running, pid, started, uptime, restarts, exit_code, command)",
	Permission: "`fs.read` on dir",
	Example:    `ok = process.status("console", dir = run_dir).running`,
}, func(c *runtime.Call, a statusArgs) (starlark.Value, error) {
	s, err := newService(c.BaseDir(), a.Dir, a.Name)
	if err != nil {
		return nil, err
	}
	for _, path := range []string{s.definition(), s.pidFile(), s.stateFile()} {
		if err := c.Need(policy.Need{Kind: "fs.read", Target: path}); err != nil {
			return nil, err
		}
	}
	d, _, err := recorded(filesys.Read(c.Reader()), s)
	if err != nil {
		return nil, err
	}
	f, running, predicted := look(c.Reader(), s)
	return status(s, d, f, running, predicted)
})

func status(s service, d definition, f found, running, predicted bool) (starlark.Value, error) {
	command := make([]starlark.Value, len(d.Command))
	for i, arg := range d.Command {
		command[i] = starlark.String(arg)
	}
	fields := starlark.StringDict{
		"name":      starlark.String(s.name),
		"running":   starlark.Bool(f.command.PID != 0 || predicted && running),
		"pid":       starlark.MakeInt(f.command.PID),
		"started":   starlark.Float(0),
		"uptime":    starlark.Float(0),
		"restarts":  starlark.MakeInt(f.state.Restarts),
		"exit_code": starlark.None,
		"command":   starlark.NewList(command),
	}
	if f.state.Exited {
		fields["exit_code"] = starlark.MakeInt(f.state.ExitCode)
	}
	if predicted && running {
		what := fmt.Sprintf("more about %s, which this run starts,", s.name)
		return runtime.NewPartial(fields, []string{"pid", "started", "uptime"}, what, startsNothing), nil
	}
	if f.command.PID != 0 {
		at, err := f.command.Started()
		if err != nil {
			return nil, err
		}
		fields["started"] = starlark.Float(float64(at.UnixMilli()) / 1000)
		fields["uptime"] = starlark.Float(max(0, time.Since(at).Seconds()))
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields), nil
}
