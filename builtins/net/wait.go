package net

import (
	"context"
	"time"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/reach"
	"github.com/infrarun/infrarun/runtime"
)

type waitPortArgs struct {
	Port     int             `arg:"port" doc:"the port, 1 to 65535"`
	Host     string          `arg:"host" default:"127.0.0.1" doc:"name or address of the host"`
	Timeout  runtime.Seconds `arg:"timeout" default:"30s" doc:"how long to wait at most"`
	Interval runtime.Seconds `arg:"interval" default:"500ms" doc:"how long to wait between attempts"`
}

var waitPortBuiltin = runtime.Define(runtime.Builtin{
	Name: "net.wait_port", Returns: "struct(ok, error, seconds, attempts)", Permission: "net on host:port",
	Doc: "Waits until a TCP connection is accepted. It does not fail when the time is up: error then has the reason of the " +
		"last attempt. A preview asks once, and assumes that processes of the run will listen.",
	Example: `up = net.wait_port(5432, timeout = 60)` + "\nif not up.ok:\n    fail(\"the database does not come up: \" + up.error)",
}, func(c *runtime.Call, a waitPortArgs) (starlark.Value, error) {
	at, err := permitted(c, a.Host, a.Port)
	if err != nil {
		return nil, err
	}
	plan := reach.Plan{Interval: a.Interval.Duration, Deadline: a.Timeout.Duration}
	if c.Preview() || a.Timeout.Duration == 0 {
		plan = reach.Plan{Attempts: 1}
	}
	begin, attempts := time.Now(), 0
	var r answer
	err = plan.Repeat(c, at.String(), func(ctx context.Context, n int) (bool, string, error) {
		got, err := ask(ctx, c, at, defaultTimeout)
		if reach.Cut(ctx, n, got.ok) {
			return false, "", err
		}
		r, attempts = got, n
		return r.ok, r.reason, err
	})
	if err != nil {
		return nil, err
	}
	return r.value(begin, starlark.StringDict{"attempts": starlark.MakeInt(attempts)}), nil
})
