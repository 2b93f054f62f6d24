package runtime

import (
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	starjson "go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// maxNesting is how deep plain data may be nested. Encoding and decoding recurse, and a stack that
// overflows would end the process.
const maxNesting = 64

// encodePlain writes plain data as JSON; anything else is an error that names it.
func encodePlain(v starlark.Value) (json.RawMessage, error) {
	if err := checkPlain(v, maxNesting); err != nil {
		return nil, err
	}
	text, err := starlark.Call(&starlark.Thread{}, starjson.Module.Members["encode"], starlark.Tuple{v}, nil)
	if err != nil {
		return nil, errors.New(message(err))
	}
	return json.RawMessage(text.(starlark.String)), nil
}

// checkPlain refuses what would be another value, or none, once it was written as JSON and read again.
func checkPlain(v starlark.Value, depth int) error {
	if depth == 0 {
		return fmt.Errorf("data is nested more than %d deep", maxNesting)
	}
	switch v := v.(type) {
	case starlark.NoneType, starlark.Bool, starlark.Int, starlark.Float:
		return nil
	case starlark.String:
		if !utf8.ValidString(string(v)) {
			return fmt.Errorf("%s is not UTF-8 text", v)
		}
		return nil
	case *starlark.List, starlark.Tuple:
		for e := range starlark.Elements(v.(starlark.Iterable)) {
			if err := checkPlain(e, depth-1); err != nil {
				return err
			}
		}
		return nil
	case *starlark.Dict:
		for k, e := range starlark.Entries(v) {
			if _, ok := k.(starlark.String); !ok {
				return fmt.Errorf("a dict has the key %s, want string", k)
			}
			if err := checkPlain(k, depth-1); err != nil {
				return err
			}
			if err := checkPlain(e, depth-1); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%s is not plain data, which another process could be given", v.Type())
}

// decodePlain reads what encodePlain wrote.
func decodePlain(th *starlark.Thread, data json.RawMessage) (starlark.Value, error) {
	return starlark.Call(th, starjson.Module.Members["decode"], starlark.Tuple{starlark.String(data)}, nil)
}
