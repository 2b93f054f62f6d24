package compose

import (
	"fmt"
	"maps"
	"slices"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
)

// imagesKind is the undo of what changes to which images names lead.
const imagesKind = "compose.images"

// imagesValue is what a call that brings images evaluates to.
func imagesValue(changed bool, refs []string) starlark.Value {
	list := make([]starlark.Value, len(refs))
	for i, ref := range refs {
		list[i] = starlark.String(ref)
	}
	return structOf(starlark.StringDict{"changed": starlark.Bool(changed), "images": starlark.NewList(list)})
}

// imagesDoc is the documentation of imagesValue.
const imagesDoc = "struct(changed, images = [ref])"

// predictImages predicts that names lead to other images, and what the call evaluates to.
func predictImages(w *runtime.World, by string, refs []string) (starlark.Value, error) {
	for _, ref := range refs {
		engine.PredictedImages(w).Bring(ref, by)
	}
	return imagesValue(true, refs), nil
}

// selectServices are the services that a call is about: those that are named, or all that have it.
func selectServices(p *project, named []string, has func(name string) bool, lacks string) ([]string, error) {
	if len(named) == 0 {
		all := slices.Sorted(maps.Keys(p.Services))
		return slices.DeleteFunc(all, func(s string) bool { return !has(s) }), nil
	}
	for _, s := range named {
		if _, ok := p.Services[s]; !ok {
			return nil, noService(p, s)
		}
		if !has(s) {
			return nil, fmt.Errorf("%s: service %s %s", p.At("services", s), s, lacks)
		}
	}
	return named, nil
}

// refsOf are the images of services.
func refsOf(p *project, services []string) []string {
	refs := make([]string, len(services))
	for i, s := range services {
		refs[i] = imageref.Shown(p.Services[s].Image)
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}
