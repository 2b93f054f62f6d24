package docker

import (
	"context"

	"github.com/docker/docker/api/types/volume"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
	"github.com/infrarun/infrarun/runtime/policy"
)

type removeVolumeArgs struct {
	Name string `arg:"name" doc:"the volume's name"`
}

var removeVolumeBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.remove_volume", Returns: changedDoc, Undo: runtime.Compensating, Permission: volumePermission,
	Doc: "Removes a volume, after what it holds was saved in the run's directory; what lies on a device that its options name " +
		"stays there. It is an error if a container has it, also one that does not run or was set aside. Undo makes it again " +
		"and puts back what it held.",
	Example: `docker.remove_volume("old-data")`,
}, func(c *runtime.Call, a removeVolumeArgs) (starlark.Value, error) {
	if err := checkName("volume", a.Name); err != nil {
		return nil, err
	}
	return c.Do(&removeVolume{name: a.Name})
})

// removeVolume is the change that removes a volume.
type removeVolume struct {
	name  string
	found *volume.Volume
	saved string
	token string
}

// Describe implements [runtime.Change].
func (v *removeVolume) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.remove_volume", Target: v.name, Needs: []policy.Need{needVolume(v.name)}, Undo: runtime.Compensating,
		UndoNote: "makes it again, with what it held",
	}
}

// Probe implements [runtime.Change].
func (v *removeVolume) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "remove it", Value: changed(v.name, false)}
		var err error
		var there bool
		if there, v.found, err = lookVolume(ctx, e, r, v.name); err != nil {
			return found, err
		}
		if !there {
			found.Needed, found.Summary = false, "there is no such volume"
			return found, nil
		}
		users, err := usersOfVolume(ctx, e, r, v.name)
		if err != nil {
			return found, err
		}
		return found, hinder(&found, users, anyUser, "containers have it: %s; docker.prune removes those that earlier runs have set aside")
	})
}

// Undo implements [runtime.Change].
func (v *removeVolume) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	options, err := keepOptions(k, v.found.Options)
	if err != nil {
		return nil, err
	}
	if v.saved, err = k.TrashPath(); err != nil {
		return nil, err
	}
	v.token = newToken()
	args := volumeUndo{
		Name: v.name, Token: v.token, Saved: v.saved, Removes: true, Elsewhere: elsewhere(v.found),
		Driver: v.found.Driver, Options: options, Labels: v.found.Labels,
	}
	return &runtime.Undo{Kind: volumeKind, Args: args, Note: "makes it again, with what it held"}, nil
}

// Apply implements [runtime.Change].
func (v *removeVolume) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	if !elsewhere(v.found) {
		if _, err := x.saveVolume(ctx, v.name, v.saved, v.token); err != nil {
			return runtime.Applied{}, err
		}
	}
	if err := failpoint.Hit("docker.after-save"); err != nil {
		return runtime.Applied{}, err
	}
	if err := x.API.VolumeRemove(ctx, v.name, false); err != nil {
		return runtime.Applied{}, engine.Explain(ctx, err)
	}
	return runtime.Applied{Value: changed(v.name, true)}, markRemoved(v.saved)
}

// Predict implements [runtime.Change].
func (v *removeVolume) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.volumes, v.name, false)
	return changed(v.name, true), nil
}
