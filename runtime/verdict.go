package runtime

import (
	"errors"
	"strings"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/diag"
)

type failArgs struct {
	Message string `arg:"message" doc:"what is wrong; further lines are shown below the first"`
	Hint    string `arg:"hint" default:"" doc:"what to do about it"`
}

// verdict is what run.fail ends a run with: something is wrong with the machine, or with what was asked for, and
// nothing with the recipe. So the operator is not shown where in the recipe it was found.
type verdict struct{ message, hint string }

func (v *verdict) Error() string { return v.message }

// Hint says what to do about it.
func (v *verdict) Hint() string { return v.hint }

func isVerdict(err error) bool {
	var v *verdict
	return errors.As(err, &v)
}

func failRun(_ *Call, a failArgs) (starlark.Value, error) {
	if strings.TrimSpace(a.Message) == "" {
		return nil, errors.New("message is empty: say what is wrong")
	}
	return nil, &verdict{a.Message, a.Hint}
}

// told returns the diagnostic of an error for the operator and, where that leaves out the place and the calls that
// led there, all of it.
func told(err error, d *diag.Diagnostic) (text, trace string) {
	text = written(d)
	if !isVerdict(err) {
		return text, ""
	}
	return written(&diag.Diagnostic{Message: d.Message, Hint: d.Hint}), text
}

func written(d *diag.Diagnostic) string {
	var text strings.Builder
	d.Write(&text, false)
	return strings.TrimRight(text.String(), "\n")
}
