package systemd

import (
	"encoding/hex"
	"slices"
	"time"
)

// state is what systemd knows of a unit.
type state struct {
	Unit      string // its name, of an alias that of the unit itself
	Load      string // loaded, not-found, masked, bad-setting, error
	LoadError string
	Active    string // active, reloading, inactive, failed, activating, deactivating
	Sub       string // as Active, by kind of unit: running, exited, dead, auto-restart …
	File      string // enabled, disabled, static, masked …; "" if it has no file
	Fragment  string // its file
	Kind      string // Type= of a service

	PID        uint32
	Restarts   uint32 // how often systemd has started it again by itself
	Result     string // how it ended last: success, exit-code, signal, timeout, start-limit-hit …
	ExitCode   int32  // how its main process ended: 1 exited, 2 killed, 3 dumped core; 0 it did not
	ExitStatus int32  // its exit status, or the signal
	Since      time.Time
	Invocation string // tells one start of it from every other
	Skipped    bool   // it was not started, since a condition in its file is not met
	Stale      bool   // its files have changed since systemd read them
	Queued     bool   // a job waits for it, or runs

	needs   []string // units that are started with it
	needers []string // units that are stopped with it
	wanters []string // units that pull it in
}

// missing reports whether systemd has no file for the unit.
func (s state) missing() bool { return s.Load == "not-found" }

// up reports whether the unit runs.
func (s state) up() bool {
	return slices.Contains([]string{"active", "reloading", "refreshing"}, s.Active)
}

// on reports whether the unit runs or is about to.
func (s state) on() bool { return s.up() || s.Active == "activating" }

// failing reports whether the unit is being started again because it failed.
func (s state) failing() bool {
	return s.Active == "activating" && (s.Sub == "auto-restart" || s.Restarts > 0)
}

// properties is what D-Bus tells of a unit: the properties of all its interfaces.
type properties map[string]any

// property returns a property, the zero value if it is not there or of another type.
func property[T any](p properties, name string) T {
	v, _ := p[name].(T)
	return v
}

// stateOf reads the properties of a unit.
func stateOf(unit string, p properties) state {
	s := state{
		Unit:       property[string](p, "Id"),
		Load:       property[string](p, "LoadState"),
		Active:     property[string](p, "ActiveState"),
		Sub:        property[string](p, "SubState"),
		Fragment:   property[string](p, "FragmentPath"),
		Kind:       property[string](p, "Type"),
		PID:        property[uint32](p, "MainPID"),
		Restarts:   property[uint32](p, "NRestarts"),
		Result:     property[string](p, "Result"),
		ExitCode:   property[int32](p, "ExecMainCode"),
		ExitStatus: property[int32](p, "ExecMainStatus"),
		Invocation: hex.EncodeToString(property[[]byte](p, "InvocationID")),
		Stale:      property[bool](p, "NeedDaemonReload"),
	}
	if s.Unit == "" {
		s.Unit = unit
	}
	if at := property[uint64](p, "ActiveEnterTimestamp"); at != 0 {
		s.Since = time.UnixMicro(int64(at))
	}
	// A pair of a name and a message, and one of a number and a path.
	if pair := property[[]any](p, "LoadError"); len(pair) == 2 {
		s.LoadError, _ = pair[1].(string)
	}
	if pair := property[[]any](p, "Job"); len(pair) == 2 {
		id, _ := pair[0].(uint32)
		s.Queued = id != 0
	}
	if at := property[uint64](p, "ConditionTimestamp"); at != 0 {
		s.Skipped = !property[bool](p, "ConditionResult")
	}
	s.needs = gather(p, "Requires", "Wants", "BindsTo", "Upholds")
	s.needers = gather(p, "RequiredBy", "RequisiteOf", "BoundBy", "ConsistsOf")
	s.wanters = gather(p, "RequiredBy", "RequisiteOf", "BoundBy", "WantedBy", "UpheldBy")
	return s
}

// gather joins lists of units.
func gather(p properties, names ...string) []string {
	var all []string
	for _, name := range names {
		all = append(all, property[[]string](p, name)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
