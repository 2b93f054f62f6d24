package systemd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/runtime"
)

type journalArgs struct {
	Unit     string `arg:"unit" doc:"the unit; without an end it is a service"`
	Since    moment `arg:"since" default:"" doc:"from when on: a time.time, seconds since 1970, or a text that journalctl understands, such as \"-1h\""`
	Priority string `arg:"priority" default:"err" doc:"how bad at least: emerg, alert, crit, err, warning, notice, info or debug"`
	Lines    int    `arg:"lines" default:"100" doc:"how many entries at most, the newest"`
}

var journalBuiltin = runtime.Define(runtime.Builtin{
	Name: "systemd.journal", Permission: unitPermission,
	Returns: "list of struct(time, priority, message, identifier, pid), the oldest first; time is in seconds since 1970",
	Doc: "Returns what a unit has logged, and what systemd has logged about it. By default that is errors only. A preview, " +
		"too, reads what is there.",
	Example: `began = time.now()` + "\n" + `errors = systemd.journal("infra-core-console", since = began)`,
}, func(c *runtime.Call, a journalArgs) (starlark.Value, error) {
	if !slices.Contains(priorities, a.Priority) {
		return nil, fmt.Errorf("for parameter priority: got %q, want one of %s", a.Priority, strings.Join(priorities, ", "))
	}
	if a.Lines < 1 || a.Lines > maxLines {
		return nil, fmt.Errorf("for parameter lines: got %d, want 1 to %d", a.Lines, maxLines)
	}
	unit, err := resolve(c, a.Unit)
	if err != nil {
		return nil, err
	}
	run := func(ctx context.Context, s child.Spec) (child.Result, error) { return child.Probe(ctx, c.Reader(), s) }
	entries, err := readJournal(c.Context(), run, journalQuery{unit: unit, since: string(a.Since), priority: a.Priority, lines: a.Lines})
	if err != nil {
		return nil, err
	}
	values := make([]starlark.Value, len(entries))
	for i, e := range entries {
		values[i] = e.value()
	}
	return starlark.NewList(values), nil
})

// maxLines is how many entries a recipe may ask for.
const maxLines = 10_000

// priorities are the names of syslog's levels, by number.
var priorities = []string{"emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"}

// value makes what a recipe gets of an entry.
func (e entry) value() starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"time":       starlark.Float(float64(e.time) / 1e6),
		"priority":   starlark.String(priorities[e.priority]),
		"message":    starlark.String(e.message),
		"identifier": starlark.String(e.identifier),
		"pid":        starlark.MakeInt(e.pid),
	})
}

// moment is a parameter that takes a point in time, as journalctl wants it.
type moment string

// TypeName names the type in documentation.
func (*moment) TypeName() string { return "time, float or string" }

// Unpack implements starlark.Unpacker.
func (m *moment) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.String:
		*m = moment(v)
	case startime.Time:
		*m = momentOf(time.Time(v))
	case starlark.Int, starlark.Float:
		seconds, _ := starlark.AsFloat(v)
		*m = momentOf(time.UnixMicro(int64(seconds * 1e6)))
	default:
		return fmt.Errorf("got %s, want a time.time, seconds since 1970, or a text such as \"-1h\"", v.Type())
	}
	return nil
}

// momentOf writes a point in time in seconds since 1970.
func momentOf(t time.Time) moment {
	return moment(fmt.Sprintf("@%d.%06d", t.Unix(), t.Nanosecond()/1000))
}
