package compose

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

var downBuiltin = runtime.Define(runtime.Builtin{
	Name: "compose.down", Returns: "struct(project, changed)", Undo: runtime.Compensating, Permission: "`docker` on compose:name",
	Doc: "Stops and removes the containers and networks of a project, in the reverse of the order in which they were started. " +
		"It needs no compose file. Volumes and images stay. Undo makes the containers again, as compose.up does.",
	Example: `compose.down("infra-core")`,
}, func(c *runtime.Call, a nameArgs) (starlark.Value, error) {
	if err := checkName(a.Name); err != nil {
		return nil, err
	}
	return c.Do(&down{name: a.Name})
})

// down is the change that takes a project away.
type down struct {
	name string

	running  []replica
	networks []network.Inspect
	undo     *restoreArgs
}

// Describe implements [runtime.Change].
func (d *down) Describe() runtime.Description {
	return runtime.Description{
		Call: "compose.down", Target: d.name, Undo: runtime.Compensating, Needs: []policy.Need{need(d.name)},
		UndoNote: "makes the containers again, on the images that they had",
	}
}

// Probe implements [runtime.Change].
func (d *down) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	if before, ok := predictions(r.World()).of(d.name); ok && (before.down || len(before.hashes) > 0) {
		return runtime.Finding{Needed: len(before.hashes) > 0, Summary: "what this preview has brought up", Value: d.value(false)}, nil
	}
	e, err := engine.Look(ctx, r)
	if err != nil {
		return runtime.Finding{}, err
	}
	defer e.Close()
	if err := d.look(ctx, e); err != nil {
		return runtime.Finding{}, err
	}
	if len(d.running)+len(d.networks) == 0 {
		return runtime.Finding{Summary: "nothing of it is there", Value: d.value(false)}, nil
	}
	var diff strings.Builder
	for _, r := range d.running {
		fmt.Fprintf(&diff, "- container %s\n", r.name())
	}
	for _, n := range d.networks {
		fmt.Fprintf(&diff, "- network %s\n", n.Name)
	}
	return runtime.Finding{
		Needed: true, Diff: diff.String(), Value: d.value(false),
		Summary: fmt.Sprintf("remove %d containers, %d networks", len(d.running), len(d.networks)),
	}, nil
}

func (d *down) look(ctx context.Context, e *engine.Client) (err error) {
	if d.running, err = inspect(ctx, e, d.name); err != nil {
		return err
	}
	d.networks, err = networksOf(ctx, e, d.name)
	return err
}

func (d *down) value(changed bool) starlark.Value {
	return structOf(starlark.StringDict{"project": starlark.String(d.name), "changed": starlark.Bool(changed)})
}

// Undo implements [runtime.Change].
func (d *down) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var ids []string
	for _, r := range d.running {
		ids = append(ids, r.ID)
	}
	var err error
	if d.undo, err = keepProject(ctx, k, d.name, ids); err != nil {
		return nil, err
	}
	return &runtime.Undo{Kind: restoreKind, Args: d.undo, Touches: names(d.running)}, nil
}

// Apply implements [runtime.Change].
func (d *down) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if err := x.Hold(ctx, d.undo.Images...); err != nil {
		return runtime.Applied{}, err
	}
	slices.SortStableFunc(d.running, func(a, b replica) int { return strings.Compare(b.State.StartedAt, a.State.StartedAt) })
	for _, r := range d.running {
		if err := takeAway(ctx, x, r.ID, r.name()); err != nil {
			return runtime.Applied{}, err
		}
	}
	var errs []error
	for _, n := range d.networks {
		if err := x.API.NetworkRemove(ctx, n.ID); err != nil && !absent(err) {
			errs = append(errs, fmt.Errorf("remove network %s: %w", n.Name, engine.Explain(ctx, err)))
		}
	}
	return runtime.Applied{Value: d.value(true), After: left{}}, errors.Join(errs...)
}

// Predict implements [runtime.Change].
func (d *down) Predict(w *runtime.World) (starlark.Value, error) {
	for _, r := range d.running {
		freePorts(w, r)
	}
	predictions(w).down(d.name)
	return d.value(true), nil
}
