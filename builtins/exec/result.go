package exec

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/runtime"
)

type resultArgs struct {
	Stdout string `arg:"stdout" default:"" doc:"what it prints"`
	Stderr string `arg:"stderr" default:"" doc:"what it prints as errors"`
	Code   int    `arg:"code" default:"0" doc:"its exit status, 0 to 255"`
}

var result = runtime.Define(runtime.Builtin{
	Name:    "exec.result",
	Doc:     "Says what a preview is to assume that a command gives, for exec.run(preview = …).",
	Returns: "struct(ok, code, stdout, stderr, command)",
	Pure:    true,
	Example: `exec.run(["bin/console", "migrate"], preview = exec.result(stdout = "0 migrations"))`,
}, func(_ *runtime.Call, a resultArgs) (starlark.Value, error) {
	if a.Code < 0 || a.Code > 255 {
		return nil, fmt.Errorf("code %d is no exit status, which is 0 to 255", a.Code)
	}
	return valueOf(child.Result{Code: a.Code, Stdout: a.Stdout, Stderr: a.Stderr}, ""), nil
})

// valueOf makes what a recipe gets of what a command did.
func valueOf(r child.Result, command string) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
		"ok":      starlark.Bool(r.Code == 0),
		"code":    starlark.MakeInt(r.Code),
		"stdout":  starlark.String(r.Stdout),
		"stderr":  starlark.String(r.Stderr),
		"command": starlark.String(command),
	})
}

// assumption is a parameter that takes what exec.result returns.
type assumption struct {
	given  bool
	result child.Result
}

// TypeName names the type in documentation.
func (*assumption) TypeName() string { return "result" }

// Unpack implements starlark.Unpacker.
func (a *assumption) Unpack(v starlark.Value) error {
	wrong := fmt.Errorf("got %s, want exec.result(…)", v.Type())
	s, ok := v.(*starlarkstruct.Struct)
	if !ok {
		return wrong
	}
	for name, into := range map[string]any{"code": &a.result.Code, "stdout": &a.result.Stdout, "stderr": &a.result.Stderr} {
		field, err := s.Attr(name)
		if err != nil {
			return wrong
		}
		if text, isText := into.(*string); isText {
			*text, ok = starlark.AsString(field)
		} else if ok = field.Type() == "int"; ok {
			err = starlark.AsInt(field, into)
		}
		if !ok || err != nil {
			return errors.Join(wrong, err)
		}
	}
	a.given = true
	return nil
}
