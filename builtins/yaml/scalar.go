package yaml

import (
	"fmt"
	"math/big"
	"strings"

	"go.starlark.net/starlark"
	yaml3 "gopkg.in/yaml.v3"
)

// maxDigits bounds a number: reading and writing one takes longer than in proportion to its length.
const maxDigits = 1000

// scalar turns a scalar into a value by its tag, which the library derives from the text where none is written.
func scalar(n *yaml3.Node) (starlark.Value, error) {
	if whole(n) {
		return longInt(n)
	}
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!timestamp", "!!merge":
		return starlark.String(n.Value), nil
	case "!!null", "!!bool", "!!int", "!!float":
		return resolved(n)
	default:
		return nil, fmt.Errorf("line %d: tag %s is not supported", n.Line, tag)
	}
}

// resolved lets the library read a null, boolean or number.
func resolved(n *yaml3.Node) (starlark.Value, error) {
	var v any
	if err := n.Decode(&v); err != nil {
		return nil, plain(err)
	}
	switch v := v.(type) {
	case nil:
		return starlark.None, nil
	case bool:
		return starlark.Bool(v), nil
	case int:
		return starlark.MakeInt(v), nil
	case int64:
		return starlark.MakeInt64(v), nil
	case uint64:
		return starlark.MakeUint64(v), nil
	case float64:
		return starlark.Float(v), nil
	}
	return nil, fmt.Errorf("line %d: %q is a %T, which has no counterpart", n.Line, n.Value, v)
}

// whole reports whether a scalar is an integer beyond 64 bits, of which the library would make a float and lose digits,
// or a string if it is too long for that.
func whole(n *yaml3.Node) bool {
	digits := strings.TrimLeft(n.Value, "+-")
	return n.Style == 0 && len(digits) > 18 && strings.Trim(digits, "0123456789") == "" && n.ShortTag() != "!!int"
}

func longInt(n *yaml3.Node) (starlark.Value, error) {
	if len(n.Value) > maxDigits {
		return nil, fmt.Errorf("line %d: a number of more than %d digits; quote it if it is a string", n.Line, maxDigits)
	}
	i, ok := new(big.Int).SetString(n.Value, 10)
	if !ok {
		return starlark.String(n.Value), nil // such as +-12
	}
	return starlark.MakeBigInt(i), nil
}
