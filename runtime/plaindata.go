package runtime

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// maxNesting is how deep plain data may be nested. Reading it back recurses, and a stack that
// overflows would end the process.
const maxNesting = 64

// encodePlain writes plain data as JSON. What would be another value, or none, once it is read again is
// an error that names it.
func encodePlain(v starlark.Value) (json.RawMessage, error) { return appendPlain(nil, v, maxNesting) }

func appendPlain(b []byte, v starlark.Value, depth int) ([]byte, error) {
	if depth == 0 {
		return nil, fmt.Errorf("data is nested more than %d deep", maxNesting)
	}
	switch v := v.(type) {
	case starlark.NoneType:
		return append(b, "null"...), nil
	case starlark.Bool:
		return strconv.AppendBool(b, bool(v)), nil
	case starlark.Int:
		return append(b, v.String()...), nil
	case starlark.Float:
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("%s is not a finite number", v)
		}
		return append(b, v.String()...), nil // it has a point or an exponent, so it stays a float
	case starlark.String:
		return appendText(b, string(v))
	case *starlark.List, starlark.Tuple:
		return appendList(b, v.(starlark.Iterable), depth)
	case *starlark.Dict:
		return appendDict(b, v, depth)
	}
	return nil, fmt.Errorf("%s is not plain data, which another process could be given", v.Type())
}

func appendText(b []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, fmt.Errorf("%q is not UTF-8 text", text)
	}
	quoted, err := json.Marshal(text)
	return append(b, quoted...), err
}

func appendList(b []byte, list starlark.Iterable, depth int) (_ []byte, err error) {
	b = append(b, '[')
	sep := ""
	for e := range starlark.Elements(list) {
		if b, err = appendPlain(append(b, sep...), e, depth-1); err != nil {
			return nil, err
		}
		sep = ","
	}
	return append(b, ']'), nil
}

func appendDict(b []byte, dict *starlark.Dict, depth int) (_ []byte, err error) {
	b = append(b, '{')
	sep := ""
	for k, e := range starlark.Entries(dict) {
		key, ok := k.(starlark.String)
		if !ok {
			return nil, fmt.Errorf("a dict has the key %s, want string", k)
		}
		if b, err = appendText(append(b, sep...), string(key)); err != nil {
			return nil, err
		}
		if b, err = appendPlain(append(b, ':'), e, depth-1); err != nil {
			return nil, err
		}
		sep = ","
	}
	return append(b, '}'), nil
}

// decodePlain reads what encodePlain wrote.
func decodePlain(th *starlark.Thread, data json.RawMessage) (starlark.Value, error) {
	return starlark.Call(th, starjson.Module.Members["decode"], starlark.Tuple{starlark.String(data)}, nil)
}
