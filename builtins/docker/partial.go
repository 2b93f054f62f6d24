package docker

import (
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime"
)

// partial returns a struct with these fields, of which a preview knows only some.
func partial(what string, fields []string, known starlark.StringDict) *runtime.Partial {
	unknown := slices.DeleteFunc(slices.Clone(fields), func(name string) bool { return known.Has(name) })
	return runtime.NewPartial(known, unknown, what,
		"a preview makes no image and no container: leave out what looks closer with run.assume(…)")
}
