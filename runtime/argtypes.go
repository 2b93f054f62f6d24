package runtime

import (
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"time"

	startime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

// Strings is a parameter that takes a list or tuple of strings.
type Strings []string

// TypeName names the type in documentation.
func (*Strings) TypeName() string { return "list of string" }

// Unpack implements starlark.Unpacker.
func (s *Strings) Unpack(v starlark.Value) error {
	if _, ok := v.(starlark.String); ok {
		return fmt.Errorf("got a string, want a list of strings: [%s]", v)
	}
	seq, ok := v.(starlark.Sequence)
	if _, dict := v.(*starlark.Dict); !ok || dict {
		return fmt.Errorf("got %s, want a list of strings", v.Type())
	}
	out := make([]string, 0, seq.Len())
	for e := range starlark.Elements(seq) {
		text, ok := starlark.AsString(e)
		if !ok {
			return fmt.Errorf("item %d is %s, want string", len(out), e.Type())
		}
		out = append(out, text)
	}
	*s = out
	return nil
}

// StringMap is a parameter that takes a dict from string to string.
type StringMap map[string]string

// TypeName names the type in documentation.
func (*StringMap) TypeName() string { return "dict of string" }

// Unpack implements starlark.Unpacker. Numbers and booleans are refused rather than guessed at.
func (m *StringMap) Unpack(v starlark.Value) error {
	d, ok := v.(*starlark.Dict)
	if !ok {
		return fmt.Errorf("got %s, want dict", v.Type())
	}
	out := make(map[string]string, d.Len())
	for k, e := range starlark.Entries(d) {
		key, ok := starlark.AsString(k)
		if !ok {
			return fmt.Errorf("key %s is %s, want string", k, k.Type())
		}
		text, ok := starlark.AsString(e)
		if !ok {
			return fmt.Errorf("value of %q is %s, want string", key, e.Type())
		}
		out[key] = text
	}
	*m = out
	return nil
}

// FileMode is a parameter that takes permission bits, as "0644" or 0o644. Set tells whether it was
// given.
type FileMode struct {
	Bits fs.FileMode
	Set  bool
}

// TypeName names the type in documentation.
func (*FileMode) TypeName() string { return "mode" }

// Unpack implements starlark.Unpacker.
func (m *FileMode) Unpack(v starlark.Value) error {
	var n uint64
	switch v := v.(type) {
	case starlark.String:
		var err error
		if n, err = strconv.ParseUint(string(v), 8, 32); err != nil {
			return fmt.Errorf("%s is no octal mode such as \"0644\"", v)
		}
	case starlark.Int:
		i, ok := v.Uint64()
		if !ok {
			return fmt.Errorf("%s is no mode", v)
		}
		n = i
	default:
		return fmt.Errorf("got %s, want a mode such as \"0644\"", v.Type())
	}
	if n > 0o7777 {
		return fmt.Errorf("mode %#o has more than permission bits", n)
	}
	m.Set = true
	m.Bits = fs.FileMode(n & 0o777)
	for bit, mode := range map[uint64]fs.FileMode{0o4000: fs.ModeSetuid, 0o2000: fs.ModeSetgid, 0o1000: fs.ModeSticky} {
		if n&bit != 0 {
			m.Bits |= mode
		}
	}
	return nil
}

// Seconds is a parameter that takes a length of time: a number of seconds, "1m30s" or a
// time.duration.
type Seconds struct{ time.Duration }

// TypeName names the type in documentation.
func (*Seconds) TypeName() string { return "seconds" }

// Unpack implements starlark.Unpacker.
func (s *Seconds) Unpack(v starlark.Value) error {
	switch v := v.(type) {
	case startime.Duration:
		s.Duration = time.Duration(v)
	case starlark.String:
		d, err := time.ParseDuration(string(v))
		if err != nil {
			return fmt.Errorf("%s is no duration such as \"1m30s\"", v)
		}
		s.Duration = d
	case starlark.Int, starlark.Float:
		f, _ := starlark.AsFloat(v)
		f *= float64(time.Second)
		if !(math.Abs(f) < math.MaxInt64) { // so NaN is refused, too
			return fmt.Errorf("%s seconds are too many", v)
		}
		s.Duration = time.Duration(f)
	default:
		return fmt.Errorf("got %s, want seconds or a duration such as \"1m30s\"", v.Type())
	}
	if s.Duration < 0 {
		return fmt.Errorf("%s is negative", s.Duration)
	}
	return nil
}

// Number is a parameter that takes an int or a float.
type Number float64

// TypeName names the type in documentation.
func (*Number) TypeName() string { return "number" }

// Unpack implements starlark.Unpacker.
func (n *Number) Unpack(v starlark.Value) error {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return fmt.Errorf("got %s, want a number", v.Type())
	}
	*n = Number(f)
	return nil
}
