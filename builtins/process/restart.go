package process

import (
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type restartArgs struct {
	Name string `arg:"name" doc:"its name"`
	Dir  string `arg:"dir" doc:"the directory of its start script"`
}

var restartBuiltin = runtime.Define(runtime.Builtin{
	Name: "process.restart",
	Doc: "Ends a process that process.start started, if it runs, and starts it as it was defined then. It always does " +
		"so: to restart only where something has changed, call process.start.",
	Returns:    "struct(name, pid)",
	Permission: "`exec` on the command that it runs, `fs.write` on dir and its log, `fs.read` on its env_file",
	Undo:       runtime.Compensating,
	Example:    `process.restart("console", dir = run_dir)`,
}, func(c *runtime.Call, a restartArgs) (starlark.Value, error) {
	s, err := newService(c.BaseDir(), a.Dir, a.Name)
	if err != nil {
		return nil, err
	}
	if err := c.Need(s.writes()...); err != nil {
		return nil, err
	}
	d, known, err := recorded(filesys.Read(c.Reader()), s)
	if err != nil {
		return nil, err
	}
	if !known {
		return nil, fmt.Errorf("there is no process %s in %s; process.start defines one", s.name, s.dir)
	}
	command := policy.Need{Kind: "exec", Target: child.Absolute(d.Command[0], d.Cwd)}
	return c.Do(&start{call: "process.restart", svc: s, def: d, needs: append(d.needs(s), command), force: true})
})
