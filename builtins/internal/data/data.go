// Package data guards the way between Starlark values and texts such as JSON, YAML and templates.
//
// Encoders and decoders recurse, and a Go program that overflows its stack ends at once: nothing can recover it,
// and nothing is rolled back. A list in a list in a list, two million deep, is a small file. So every text is
// looked at before it is decoded ([CheckText], [CheckJSON]) and every value before it is encoded ([Check]), in
// terms of [MaxDepth] and [MaxSize].
//
// The package knows nothing of runs, permissions or the machine.
package data

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
)

const (
	// MaxSize bounds a text that is decoded, and about how long an encoded value may be, in bytes.
	MaxSize = 16 << 20
	// MaxDepth bounds how deep lists, dicts and structs may be nested.
	MaxDepth = 256
)

// Check fails unless v is plain data that may be encoded: None, booleans, numbers, strings, and dicts, lists,
// tuples, sets and structs of them, not nested deeper than [MaxDepth] and not larger than about [MaxSize]. What a
// preview cannot know is an error that says so. A value that contains itself is too deep; one that contains
// another many times counts each time, since it is written each time.
func Check(v starlark.Value) error {
	c := checker{left: MaxSize}
	return c.check(v, 0)
}

// CheckUnicode is Check for encodings that hold UTF-8 only: it refuses other strings, which an encoder would
// damage without a word.
func CheckUnicode(v starlark.Value) error {
	c := checker{left: MaxSize, unicode: true}
	return c.check(v, 0)
}

type checker struct {
	left    int  // how much more may be written
	unicode bool // whether strings must be UTF-8
}

// overhead is what a value is at least written with: a separator and a character.
const overhead = 2

func (c *checker) spend(n int) error {
	if c.left -= n + overhead; c.left < 0 {
		return fmt.Errorf("the value is larger than %d MiB", MaxSize>>20)
	}
	return nil
}

func (c *checker) check(v starlark.Value, depth int) error {
	if depth > MaxDepth {
		return fmt.Errorf("the value is nested deeper than %d levels, or contains itself", MaxDepth)
	}
	switch v := v.(type) {
	case starlark.NoneType, starlark.Bool, starlark.Float:
		return c.spend(0)
	case starlark.Int:
		return c.spend(v.BigInt().BitLen() / 3) // a little over the number of its digits
	case starlark.String:
		if c.unicode && !utf8.ValidString(string(v)) {
			return errors.New("a string in it is no UTF-8 text; encode it with text.base64_encode")
		}
		return c.spend(len(v))
	case *starlark.Dict, *starlarkstruct.Struct, *starlark.List, starlark.Tuple, *starlark.Set:
		if err := c.spend(0); err != nil {
			return err
		}
		return Each(v, func(key, item starlark.Value) error {
			if key != nil {
				if err := c.check(key, depth+1); err != nil {
					return err
				}
			}
			return c.check(item, depth+1)
		})
	case *runtime.Unknown:
		return v.Err()
	}
	return fmt.Errorf("a %s is no plain data; use None, bool, int, float, string, list, dict or struct", v.Type())
}

// Each calls fn for the items of a dict, struct, list, tuple or set, in order, until it fails. Key is nil where
// items have none; the fields of a struct are in alphabetical order. Other values have no items.
func Each(v starlark.Value, fn func(key, item starlark.Value) error) error {
	switch v := v.(type) {
	case *starlark.Dict:
		for key, item := range starlark.Entries(v) {
			if err := fn(key, item); err != nil {
				return err
			}
		}
	case *starlarkstruct.Struct:
		for _, name := range v.AttrNames() {
			item, err := v.Attr(name)
			if err != nil {
				return err
			}
			if err := fn(starlark.String(name), item); err != nil {
				return err
			}
		}
	case starlark.Iterable:
		for item := range starlark.Elements(v) {
			if err := fn(nil, item); err != nil {
				return err
			}
		}
	}
	return nil
}
