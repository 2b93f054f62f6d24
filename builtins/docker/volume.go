package docker

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/volume"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type volumeArgs struct {
	Name    string            `arg:"name" doc:"the volume's name"`
	Driver  string            `arg:"driver" default:"local" doc:"what keeps it"`
	Options runtime.StringMap `arg:"options" default:"" doc:"options of the driver; they may name paths of this machine, which takes docker host-path"`
	Labels  runtime.StringMap `arg:"labels" default:"" doc:"its labels"`
}

const volumePermission = "`docker` on volume:name"

var volumeBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.volume", Returns: changedDoc, Undo: runtime.Compensating,
	Permission: volumePermission + ", on host-path:/PATH where its options name one, on volume-driver:NAME for another driver, on volume-driver:local for what is neither a path nor a tmpfs",
	Doc: "Makes a volume unless there is one of that name; one that is there with another driver or other options is an error. " +
		"Undo removes it; what it holds by then is saved in the run's directory.",
	Example: `docker.volume("console-data")`,
}, func(c *runtime.Call, a volumeArgs) (starlark.Value, error) {
	if err := checkName("volume", a.Name); err != nil {
		return nil, err
	}
	return c.Do(&makeVolume{args: a})
})

// makeVolume is the change that makes a volume.
type makeVolume struct{ args volumeArgs }

// Describe implements [runtime.Change].
func (m *makeVolume) Describe() runtime.Description {
	list := []policy.Need{needVolume(m.args.Name)}
	ofOptions, _ := dockerpolicy.OfVolume(m.args.Driver, m.args.Options)
	list = append(list, ofOptions...)
	for name, value := range m.args.Options {
		if strings.HasPrefix(value, "/") {
			if name != "device" {
				list = append(list, dockerpolicy.Need("host-path", value))
			}
			if engine.HoldsSocket(value) {
				list = append(list, dockerpolicy.Need(dockerpolicy.Socket, ""))
			}
		}
	}
	return runtime.Description{
		Call: "docker.volume", Target: m.args.Name, Needs: needs(list...), Undo: runtime.Compensating, UndoNote: "removes it",
	}
}

// Probe implements [runtime.Change].
func (m *makeVolume) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "create", Value: changed(m.args.Name, false)}
		there, v, err := lookVolume(ctx, e, r, m.args.Name)
		if err != nil || !there {
			return found, err
		}
		found.Needed, found.Summary = false, "is there"
		if v == nil {
			return found, nil
		}
		if v.Driver != m.args.Driver || !maps.Equal(v.Options, map[string]string(m.args.Options)) && len(v.Options)+len(m.args.Options) > 0 {
			return found, fmt.Errorf("it is there with driver %s and options %v: what it holds would be lost, so it is not replaced; "+
				"take another name", v.Driver, v.Options)
		}
		return found, nil
	})
}

// lookVolume looks at a volume, through what a preview predicts: then v is nil.
func lookVolume(ctx context.Context, e *engine.Client, r *runtime.Reader, name string) (there bool, v *volume.Volume, err error) {
	o := overlayOf(r.World())
	if there, ok := lookup(o, o.volumes, name); ok && r.Preview() {
		return there, nil, nil
	}
	v, err = e.Volume(ctx, name)
	return v != nil, v, err
}

// volumeUsers lists the containers that have a volume.
func volumeUsers(ctx context.Context, e *engine.Client, name string) ([]container.Summary, error) {
	all, err := e.Containers(ctx, nil)
	var users []container.Summary
	for _, c := range all {
		for _, m := range c.Mounts {
			if m.Type == mount.TypeVolume && m.Name == name {
				users = append(users, c)
				break
			}
		}
	}
	return users, err
}

func namesOf(list []container.Summary, only func(container.Summary) bool) []string {
	var names []string
	for _, c := range list {
		if only(c) {
			names = append(names, engine.NameOf(c))
		}
	}
	return names
}

func runs(c container.Summary) bool { return c.State == container.StateRunning }
func exists(container.Summary) bool { return true }

// Undo implements [runtime.Change].
func (m *makeVolume) Undo(context.Context, *runtime.Keeper) (*runtime.Undo, error) {
	args := containerUndo{Name: m.args.Name, Volumes: []string{m.args.Name}}
	return &runtime.Undo{Kind: newVolumeKind, Args: args, Note: "removes it"}, nil
}

// Apply implements [runtime.Change].
func (m *makeVolume) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	_, err = x.API.VolumeCreate(ctx, volume.CreateOptions{
		Name: m.args.Name, Driver: m.args.Driver, DriverOpts: m.args.Options, Labels: m.args.Labels,
	})
	return runtime.Applied{Value: changed(m.args.Name, true)}, engine.Explain(ctx, err)
}

// Predict implements [runtime.Change].
func (m *makeVolume) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.volumes, m.args.Name, true)
	return changed(m.args.Name, true), nil
}

type removeVolumeArgs struct {
	Name string `arg:"name" doc:"the volume's name"`
}

var removeVolumeBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.remove_volume", Returns: changedDoc, Undo: runtime.Compensating, Permission: volumePermission,
	Doc: "Removes a volume, after what it holds was saved in the run's directory. It is an error if a container has it, also one " +
		"that does not run or was set aside. Undo makes it again and puts back what it held.",
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
		users, err := volumeUsers(ctx, e, v.name)
		if names := namesOf(users, exists); err == nil && len(names) > 0 && !r.Preview() {
			err = fmt.Errorf("containers have it: %s; docker.prune removes those that earlier runs have set aside", strings.Join(names, ", "))
		}
		return found, err
	})
}

// Undo implements [runtime.Change].
func (v *removeVolume) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	if v.saved, err = k.TrashPath(); err != nil {
		return nil, err
	}
	v.token = newToken()
	args := volumeUndo{
		Name: v.name, Token: v.token, Saved: v.saved,
		Driver: v.found.Driver, Options: v.found.Options, Labels: v.found.Labels,
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
	if _, err := x.saveVolume(ctx, v.name, v.saved, v.token); err != nil {
		return runtime.Applied{}, err
	}
	err = x.API.VolumeRemove(ctx, v.name, false)
	return runtime.Applied{Value: changed(v.name, true)}, engine.Explain(ctx, err)
}

// Predict implements [runtime.Change].
func (v *removeVolume) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.volumes, v.name, false)
	return changed(v.name, true), nil
}
