package systemd

import (
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
)

var availableBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.available", Returns: "bool",
	Doc: "Tells whether systemd runs this machine and answers. It does not in most containers, where the family process " +
		"keeps services running.",
	Example: "start = start_units if systemd.available() else start_processes",
}, func(c *runtime.Call, _ struct{}) (starlark.Value, error) {
	b, err := connect(c.Context())
	if err != nil {
		return starlark.False, nil // that is the answer
	}
	b.close()
	return starlark.True, nil
})

const statusDoc = "struct(name, load_state, active, sub, enabled, pid, restarts, since, result, fragment_path, invocation)"

type statusArgs struct {
	Unit string `arg:"unit" doc:"the unit; without an end it is a service"`
}

var statusBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.status", Returns: statusDoc, Permission: "`systemd` on unit",
	Doc: "Tells how a unit is. Load_state is loaded, not-found, masked or says what is wrong with its file; active is active, " +
		"reloading, inactive, failed, activating or deactivating, and sub says more; enabled is enabled, disabled, static, " +
		"masked … or empty without a file; pid is that of the main process, 0 if none runs; restarts is how often systemd " +
		"has started it again by itself; since, in seconds since 1970, is when it last became active, 0 if never; result is " +
		"success or says how it failed; invocation tells one start of it from every other. In a preview that starts or stops " +
		"it, pid, since and invocation are not known.",
	Example: `if systemd.status("console").active != "active":` + "\n    fail(\"the console is down\")",
}, func(c *runtime.Call, a statusArgs) (starlark.Value, error) {
	unit, err := resolve(c, a.Unit)
	if err != nil {
		return nil, err
	}
	s, err := look(c.Context(), c.Reader(), unit)
	if err != nil {
		return nil, err
	}
	return statusOf(s), nil
})

// statusOf makes what a recipe gets of a unit.
func statusOf(s seen) starlark.Value {
	fields := starlark.StringDict{
		"name":          starlark.String(s.Unit),
		"load_state":    starlark.String(s.Load),
		"active":        starlark.String(s.Active),
		"sub":           starlark.String(s.Sub),
		"enabled":       starlark.String(s.File),
		"pid":           starlark.MakeUint64(uint64(s.PID)),
		"restarts":      starlark.MakeUint64(uint64(s.Restarts)),
		"since":         starlark.Float(0),
		"result":        starlark.String(s.Result),
		"fragment_path": starlark.String(s.Fragment),
		"invocation":    starlark.String(s.Invocation),
	}
	if !s.Since.IsZero() {
		fields["since"] = starlark.Float(float64(s.Since.UnixMicro()) / 1e6)
	}
	if !s.Predicted {
		return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
	}
	return runtime.NewPartial(fields, []string{"pid", "since", "invocation"},
		fmt.Sprintf("more about %s, which this run starts or stops,", s.Unit),
		"a preview starts nothing: leave out what looks at it with run.assume(…)")
}
