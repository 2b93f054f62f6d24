package text

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"text/template"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/data"
	"github.com/infrarun/infrarun/runtime"
)

const (
	maxTemplate = 1 << 20 // a template, in bytes: a person writes one
	maxOutput   = 4 << 20 // what is made of it, and every text on the way there
)

type templateArgs struct {
	Template string         `arg:"template" doc:"the template, at most 1 MiB"`
	Data     starlark.Value `arg:"data" doc:"what it is filled with, the dot: a dict with string keys or a struct, of plain data"`
}

var templateBuiltin = runtime.Define(runtime.Builtin{
	Name: "text.template", Pure: true, Returns: "string",
	Doc: "Fills a template (Go's text/template) with data. Naming something that the data lacks is an error, and so is " +
		"writing None: a configuration file must not come out with a hole. Beside the functions of text/template there " +
		"are quote (a JSON string), json, upper, lower, indent N TEXT, join SEPARATOR LIST and default VALUE X (VALUE if X " +
		"is None or an empty string). The result has at most 4 MiB.",
	Example: `text.template("listen = {{.host}}:{{.port}}\n{{range .peers}}peer = {{.}}\n{{end}}", config)`,
}, func(c *runtime.Call, a templateArgs) (starlark.Value, error) {
	text, err := fill(c.Context(), a.Template, a.Data)
	return starlark.String(text), err
})

// fill parses and executes a template.
func fill(ctx context.Context, text string, v starlark.Value) (string, error) {
	if len(text) > maxTemplate {
		return "", fmt.Errorf("the template has %d bytes; the limit is %d MiB", len(text), maxTemplate>>20)
	}
	if err := data.Check(v); err != nil {
		return "", fmt.Errorf("the data: %w", err)
	}
	dot, err := plain(v)
	if err != nil {
		return "", fmt.Errorf("the data: %w", err)
	}
	g := &guard{ctx: ctx}
	t, err := template.New("template").Option("missingkey=error").Funcs(g.functions()).Parse(text)
	if err != nil {
		return "", message(err)
	}
	g.insert(t)
	var out limited
	if err := t.Execute(&out, dot); err != nil {
		return "", message(err)
	}
	return out.String(), nil
}

// message is an error of text/template without the names that it and this package give things. What remains begins with
// the line, as in "template:3: ...".
func message(err error) error {
	var stop *stopError
	if errors.As(err, &stop) {
		return stop.err
	}
	return errors.New(strings.TrimPrefix(strings.ReplaceAll(err.Error(), `executing "template" `, ""), "template: "))
}

// plain turns a checked value into what templates understand: maps, slices, strings, int64, float64, bool, nil. None of
// them has a method that a template could call.
func plain(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bool:
		return bool(v), nil
	case starlark.String:
		return string(v), nil
	case starlark.Float:
		return float64(v), nil
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return n, nil
		}
		return v.String(), nil // templates cannot compute with it anyway
	case *starlark.Dict, *starlarkstruct.Struct:
		m := map[string]any{}
		return m, data.Each(v, func(key, item starlark.Value) error {
			name, ok := starlark.AsString(key)
			if !ok {
				return fmt.Errorf("key %s is %s, want string", key, key.Type())
			}
			value, err := plain(item)
			m[name] = value
			return err
		})
	}
	list := []any{}
	err := data.Each(v, func(_, item starlark.Value) error {
		value, err := plain(item)
		list = append(list, value)
		return err
	})
	return list, err
}

// limited is a text of at most maxOutput bytes.
type limited struct{ strings.Builder }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > maxOutput {
		return 0, errLong
	}
	return l.Builder.Write(p)
}
