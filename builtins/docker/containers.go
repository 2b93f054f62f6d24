package docker

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
)

type containersArgs struct {
	All    bool              `arg:"all" default:"false" doc:"whether those that do not run are listed, too"`
	Labels runtime.StringMap `arg:"labels" default:"" doc:"only those with these labels; an empty value asks only for the label"`
	Name   string            `arg:"name" default:"*" doc:"only those whose name matches, with * and ?"`
}

var containersBuiltin = runtime.Define(runtime.Builtin{
	Name:    "docker.containers",
	Returns: "list of struct(name, id, image, status, running, labels), by name",
	Doc: "Lists containers, without those that an earlier run has set aside for its undo. In a preview, those that it makes are " +
		"among them.",
	Example: `for c in docker.containers(labels = {"app": "infra-core"}):` + "\n" + `    log.info(c.name)`,
}, func(c *runtime.Call, a containersArgs) (starlark.Value, error) {
	if _, err := path.Match(a.Name, ""); err != nil {
		return nil, fmt.Errorf("name: %q: %w", a.Name, err)
	}
	return withEngine(c, func(ctx context.Context, e *engine.Client) (starlark.Value, error) {
		list, err := e.Containers(ctx, engine.Labels(a.Labels))
		if err != nil {
			return nil, err
		}
		var all []seenContainer
		o := overlayOf(c.Reader().World())
		for _, s := range list {
			name := engine.NameOf(s)
			if _, ok := lookup(o, o.containers, name); !ok && keptRun(name) == "" {
				all = append(all, seenContainer{name: name, there: true, running: s.State == container.StateRunning, listed: &s})
			}
		}
		all = append(all, predictedWith(o, a.Labels)...)
		slices.SortFunc(all, func(a, b seenContainer) int { return strings.Compare(a.name, b.name) })
		var values []starlark.Value
		for _, s := range all {
			if ok, _ := path.Match(a.Name, s.name); ok && (a.All || s.running) {
				values = append(values, s.listValue())
			}
		}
		return starlark.NewList(values), nil
	})
})

// predictedWith lists the containers that a preview predicts and that have the labels.
func predictedWith(o *overlay, labels map[string]string) []seenContainer {
	o.mu.Lock()
	defer o.mu.Unlock()
	var all []seenContainer
	for name, p := range o.containers {
		if !p.there {
			continue
		}
		fits := true
		for key, want := range labels {
			value, has := p.labels[key]
			fits = fits && has && (want == "" || want == value)
		}
		if fits {
			all = append(all, seenContainer{name: name, there: true, running: p.running, predicted: &p})
		}
	}
	return all
}

// listValue is what a recipe gets of one in a list.
func (s seenContainer) listValue() starlark.Value {
	if s.predicted != nil {
		return partial("container "+s.name+", which this run makes or changes,",
			[]string{"name", "id", "image", "status", "running", "labels"}, s.known())
	}
	return structOf(starlark.StringDict{
		"name": starlark.String(s.name), "id": starlark.String(s.listed.ID), "image": starlark.String(s.listed.Image),
		"status": starlark.String(s.listed.State), "running": starlark.Bool(s.running), "labels": dictOf(withoutOwn(s.listed.Labels)),
	})
}
