package runtime

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
)

// field is a parameter and where it goes.
type field struct {
	Param
	index []int
}

// typeNamer is implemented by argument types with a name of their own.
type typeNamer interface{ TypeName() string }

// fieldsOf reads the parameters off the arguments struct. A mistake in one is a mistake in the
// program, found by the first test that links the family: it panics.
func fieldsOf(t reflect.Type, builtin string) []field {
	var fields []field
	for _, f := range reflect.VisibleFields(t) {
		name, ok := f.Tag.Lookup("arg")
		if !ok {
			continue
		}
		p := Param{Name: name, Doc: f.Tag.Get("doc"), Type: typeName(f.Type)}
		text, optional := f.Tag.Lookup("default")
		p.Required = !optional && !strings.HasPrefix(name, "*")
		p.Default = shownDefault(f.Type, text)
		if optional && text != "" {
			if err := setDefault(reflect.New(f.Type).Elem(), text); err != nil {
				panic(fmt.Sprintf("%s: default of %s: %v", builtin, name, err))
			}
		}
		fields = append(fields, field{p, f.Index})
	}
	return fields
}

// typeName names a Go type as a recipe would.
func typeName(t reflect.Type) string {
	if n, ok := reflect.New(t).Interface().(typeNamer); ok {
		return n.TypeName()
	}
	switch t {
	case reflect.TypeFor[starlark.Value]():
		return "any"
	case reflect.TypeFor[starlark.Callable]():
		return "function"
	case reflect.TypeFor[*starlark.List]():
		return "list"
	case reflect.TypeFor[*starlark.Dict]():
		return "dict"
	case reflect.TypeFor[starlark.Tuple]():
		return "values"
	}
	switch t.Kind() {
	case reflect.Float64:
		return "float"
	case reflect.Int, reflect.Int64:
		return "int"
	case reflect.Slice: // **kwargs
		return "values by name"
	}
	return t.Kind().String()
}

func shownDefault(t reflect.Type, text string) string {
	switch {
	case t.Kind() == reflect.String:
		return strconv.Quote(text)
	case t.Kind() == reflect.Bool && text == "true":
		return "True"
	case t.Kind() == reflect.Bool:
		return "False"
	case text == "":
		return "None"
	case t.Kind() == reflect.Struct || t.Kind() == reflect.Uint32:
		return strconv.Quote(text)
	}
	return text
}

// setDefault parses a default into a settable value of the field's type.
func setDefault(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(starlark.Unpacker); ok && v.Kind() != reflect.Float64 {
		return u.Unpack(starlark.String(text))
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, err := strconv.ParseBool(text)
		v.SetBool(b)
		return err
	case reflect.Int, reflect.Int64:
		n, err := strconv.ParseInt(text, 10, 64)
		v.SetInt(n)
		return err
	case reflect.Float64:
		x, err := strconv.ParseFloat(text, 64)
		v.SetFloat(x)
		return err
	default:
		return fmt.Errorf("a %s has no default but None", v.Type())
	}
	return nil
}

// unpack fills the struct dst from the arguments of a call. None for an optional parameter means its
// default. Errors name builtin, parameter and type.
func unpack(name string, fields []field, dst reflect.Value, args starlark.Tuple, kwargs []starlark.Tuple) error {
	var pairs []any
	declared := map[string]bool{}
	positional := 0
	var rest, named []int
	for _, f := range fields {
		switch {
		case strings.HasPrefix(f.Name, "**"):
			named = f.index
			continue
		case strings.HasPrefix(f.Name, "*"):
			rest = f.index
			continue
		}
		v := dst.FieldByIndex(f.index)
		key := f.Name
		if !f.Required {
			key += "??"
			if text := dst.Type().FieldByIndex(f.index).Tag.Get("default"); text != "" {
				if err := setDefault(v, text); err != nil {
					return err
				}
			}
		}
		declared[f.Name] = true
		positional++
		pairs = append(pairs, key, v.Addr().Interface())
	}
	if rest != nil && len(args) > positional {
		dst.FieldByIndex(rest).Set(reflect.ValueOf(args[positional:]))
		args = args[:positional]
	}
	if named != nil {
		var own, others []starlark.Tuple
		for _, kv := range kwargs {
			if k, _ := starlark.AsString(kv[0]); declared[k] {
				own = append(own, kv)
			} else {
				others = append(others, kv)
			}
		}
		dst.FieldByIndex(named).Set(reflect.ValueOf(others))
		kwargs = own
	}
	return starlark.UnpackArgs(name, args, kwargs, pairs...)
}
