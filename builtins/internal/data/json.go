package data

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
)

// DecodeJSON decodes a text after checking it. Errors tell the offset in bytes.
func DecodeJSON(text string) (starlark.Value, error) {
	if err := CheckJSON(text); err != nil {
		return nil, err
	}
	decode := starjson.Module.Members["decode"].(*starlark.Builtin)
	v, err := decode.CallInternal(new(starlark.Thread), starlark.Tuple{starlark.String(text)}, nil)
	if err != nil {
		// The builtin that the recipe called adds its own name.
		return nil, errors.New(strings.TrimPrefix(err.Error(), decode.Name()+": "))
	}
	return v, nil
}

// EncodeJSON encodes a value after checking it: in one line, or with lines indented by indent if it is not empty.
// Dicts keep no order: keys are sorted. It is not Starlark's own encoder, which writes \x7f, which is no JSON.
func EncodeJSON(v starlark.Value, indent string) (string, error) {
	if err := CheckUnicode(v); err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := writeJSON(&b, v); err != nil {
		return "", err
	}
	if indent == "" {
		return b.String(), nil
	}
	var lines bytes.Buffer
	if err := json.Indent(&lines, b.Bytes(), "", indent); err != nil {
		return "", err
	}
	return lines.String(), nil
}

// writeJSON writes a checked value.
func writeJSON(b *bytes.Buffer, v starlark.Value) error {
	switch v := v.(type) {
	case starlark.NoneType:
		b.WriteString("null")
	case starlark.Bool:
		b.WriteString(strings.ToLower(v.String()))
	case starlark.Int:
		b.WriteString(v.String())
	case starlark.Float:
		if text := v.String(); strings.Trim(text, "+-0123456789.e") == "" {
			b.WriteString(text)
			return nil
		}
		return fmt.Errorf("JSON has no number %s", v)
	case starlark.String:
		return writeString(b, string(v))
	case *starlark.Dict, *starlarkstruct.Struct:
		return writeObject(b, v)
	default:
		return writeArray(b, v)
	}
	return nil
}

func writeString(b *bytes.Buffer, s string) error {
	e := json.NewEncoder(b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return err
	}
	b.Truncate(b.Len() - 1) // the encoder ends each value with a line break
	return nil
}

func writeArray(b *bytes.Buffer, v starlark.Value) error {
	b.WriteByte('[')
	first := true
	err := Each(v, func(_, item starlark.Value) error {
		separate(b, &first)
		return writeJSON(b, item)
	})
	b.WriteByte(']')
	return err
}

func writeObject(b *bytes.Buffer, v starlark.Value) error {
	type entry struct {
		key  string
		item starlark.Value
	}
	var entries []entry
	err := Each(v, func(key, item starlark.Value) error {
		name, ok := starlark.AsString(key)
		if !ok {
			return fmt.Errorf("key %s is %s, want string", key, key.Type())
		}
		entries = append(entries, entry{name, item})
		return nil
	})
	if err != nil {
		return err
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.key, b.key) })
	b.WriteByte('{')
	first := true
	for _, e := range entries {
		separate(b, &first)
		if err := writeString(b, e.key); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := writeJSON(b, e.item); err != nil {
			return fmt.Errorf("in %q: %w", e.key, err)
		}
	}
	b.WriteByte('}')
	return nil
}

// separate writes a comma before all but the first.
func separate(b *bytes.Buffer, first *bool) {
	if !*first {
		b.WriteByte(',')
	}
	*first = false
}
