package docker

import (
	"fmt"
	"slices"
	"time"

	"github.com/docker/go-units"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// memory is a parameter that takes a number of bytes, or a text such as "512m".
type memory int64

// TypeName names the type in documentation.
func (*memory) TypeName() string { return "bytes" }

// Unpack implements starlark.Unpacker.
func (m *memory) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case starlark.String:
		if v == "" {
			return nil
		}
		n, err := units.RAMInBytes(string(v))
		if err != nil || n < 0 {
			return fmt.Errorf("%s is no size such as \"512m\"", v)
		}
		*m = memory(n)
		return nil
	case starlark.Int:
		n, ok := v.Int64()
		if !ok || n < 0 {
			return fmt.Errorf("%s is no number of bytes", v)
		}
		*m = memory(n)
		return nil
	}
	return fmt.Errorf("got %s, want bytes or a text such as \"512m\"", v.Type())
}

// healthcheck is a parameter that takes how a container is asked whether it is well.
type healthcheck struct {
	Test        []string      `json:"test"` // a command and its arguments; ["NONE"] for no check, whatever the image says
	Interval    time.Duration `json:"interval"`
	Timeout     time.Duration `json:"timeout"`
	StartPeriod time.Duration `json:"start_period"`
	Retries     int           `json:"retries"`
}

// TypeName names the type in documentation.
func (*healthcheck) TypeName() string { return "dict" }

var healthcheckKeys = []string{"test", "interval", "timeout", "start_period", "retries"}

// Unpack implements starlark.Unpacker.
func (h *healthcheck) Unpack(v starlark.Value) error {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf("got %s, want a dict with test, interval, timeout, start_period, retries", v.Type())
	}
	for k, e := range starlark.Entries(d) {
		key, _ := starlark.AsString(k)
		var err error
		switch key {
		case "test":
			err = (*runtime.Strings)(&h.Test).Unpack(e)
		case "interval":
			err = unpackSeconds(e, &h.Interval)
		case "timeout":
			err = unpackSeconds(e, &h.Timeout)
		case "start_period":
			err = unpackSeconds(e, &h.StartPeriod)
		case "retries":
			h.Retries, err = starlark.AsInt32(e)
		default:
			err = fmt.Errorf("there is none such; there are %s", healthcheckKeys)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
	}
	if len(h.Test) == 0 {
		return fmt.Errorf("test is missing: the command that asks, such as [\"/app\", \"check\"], or [\"NONE\"] for no check")
	}
	return nil
}

func unpackSeconds(v starlark.Value, into *time.Duration) error {
	var s runtime.Seconds
	err := s.Unpack(v)
	*into = s.Duration
	return err
}

// command is the check as the engine takes it.
func (h healthcheck) command() []string {
	if first := h.Test[0]; slices.Contains([]string{"NONE", "CMD", "CMD-SHELL"}, first) {
		return h.Test
	}
	return append([]string{"CMD"}, h.Test...)
}
