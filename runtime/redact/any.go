package redact

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Any returns a deep copy of v in which no string, key or number contains a secret. It is for data as of JSON:
// map[string]any, map[string]string, []any, []string, string, numbers, bool, nil and [json.RawMessage]. A number
// that is a secret becomes the string [Mark]. A value of another type is returned as it is if its JSON contains
// no secret, and else as the plain data of that JSON.
//
// While the set is empty v itself is returned; treat the result as read-only.
func (s *Set) Any(v any) any {
	if s.load() == nil {
		return v
	}
	switch v := v.(type) {
	case nil, bool:
		return v
	case string:
		return s.String(v)
	case []string:
		return mapSlice(v, s.String)
	case []any:
		return mapSlice(v, s.Any)
	case map[string]string:
		return mapMap(s, v, s.String)
	case map[string]any:
		return mapMap(s, v, s.Any)
	case json.RawMessage:
		return s.raw(v)
	case float64:
		// JSON writes 12345678 in full where Sprint writes 1.2345678e+07.
		if s.Contains(strconv.AppendFloat(nil, v, 'f', -1, 64)) {
			return Mark
		}
		return v
	case json.Number, int, int64, uint64:
		if s.Contains(fmt.Append(nil, v)) {
			return Mark
		}
		return v
	default:
		return s.other(v)
	}
}

func mapSlice[T any](list []T, redact func(T) T) []T {
	if list == nil {
		return nil
	}
	out := make([]T, len(list))
	for i, item := range list {
		out[i] = redact(item)
	}
	return out
}

// mapMap redacts keys as well. Keys that become equal are told apart by a number, in the order of the old ones.
func mapMap[T any](s *Set, m map[string]T, redact func(T) T) map[string]T {
	if m == nil {
		return nil
	}
	out := make(map[string]T, len(m))
	for _, old := range slices.Sorted(maps.Keys(m)) {
		key := s.String(old)
		for n := 2; ; n++ {
			if _, taken := out[key]; !taken {
				break
			}
			key = s.String(old) + "#" + strconv.Itoa(n)
		}
		out[key] = redact(m[old])
	}
	return out
}

// raw redacts JSON text so that it stays JSON: replacing in the text could break a number or a string apart.
func (s *Set) raw(text json.RawMessage) json.RawMessage {
	if !s.Contains(text) {
		return bytes.Clone(text)
	}
	data, err := decode(text)
	if err != nil {
		data = string(text) // not JSON: its text is all there is
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(s.Any(data)); err != nil || s.Contains(out.Bytes()) {
		// The secret is made of JSON's own characters and spans several values.
		return json.RawMessage(strconv.Quote(Mark))
	}
	return bytes.TrimSpace(out.Bytes())
}

// decode reads JSON without turning its numbers into floats, which would change long ones.
func decode(text []byte) (data any, err error) {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	err = dec.Decode(&data)
	return data, err
}

// other redacts a value of a type that this package does not know, by way of its JSON.
func (s *Set) other(v any) any {
	if err, ok := v.(error); ok {
		return s.String(err.Error())
	}
	text, err := json.Marshal(v)
	if err != nil {
		return s.String(fmt.Sprint(v))
	}
	if !s.Contains(text) {
		return v
	}
	data, err := decode(s.raw(text))
	if err != nil {
		return Mark
	}
	return data
}
