package docker

import (
	"context"
	"fmt"
	"maps"
	"slices"
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
	Options runtime.StringMap `arg:"options" default:"" doc:"options of the driver, as docker volume create takes them: {\"type\": \"none\", \"o\": \"bind\", \"device\": \"/srv/data\"}"`
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
	ofOptions, path := dockerpolicy.OfVolume(m.args.Driver, m.args.Options)
	list = append(list, ofOptions...)
	if path != "" && engine.HoldsSocket(path) {
		list = append(list, dockerpolicy.Need(dockerpolicy.Socket, ""))
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
			return found, fmt.Errorf("it is there with %s: what it holds would be lost, so it is not replaced; take another name", kindOf(v))
		}
		return found, nil
	})
}

// kindOf says what keeps a volume. What its options say may be a secret.
func kindOf(v *volume.Volume) string {
	if len(v.Options) == 0 {
		return "driver " + v.Driver + " and no options"
	}
	return fmt.Sprintf("driver %s and other options: %s", v.Driver, strings.Join(sortedKeys(v.Options), ", "))
}

// elsewhere reports whether what a volume holds is on a device of its own, such as a path or a file server, and stays there
// when the volume goes.
func elsewhere(v *volume.Volume) bool { return v.Driver == "local" && v.Options["device"] != "" }

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
	return slices.DeleteFunc(all, func(c container.Summary) bool { return !hasVolume(c, name) }), err
}

func hasVolume(c container.Summary, name string) bool {
	return slices.ContainsFunc(c.Mounts, func(m container.MountPoint) bool { return m.Type == mount.TypeVolume && m.Name == name })
}

// usersOfVolume lists those that have a volume by then.
func usersOfVolume(ctx context.Context, e *engine.Client, r *runtime.Reader, name string) ([]user, error) {
	all, err := e.Containers(ctx, nil)
	return usersOf(r, all, func(c container.Summary) bool { return hasVolume(c, name) },
		func(p predictedContainer) bool { return slices.Contains(p.volumes, name) }), err
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
	return runtime.Applied{Value: changed(m.args.Name, true)}, refusal(engine.Explain(ctx, err))
}

// Predict implements [runtime.Change].
func (m *makeVolume) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.volumes, m.args.Name, true)
	return changed(m.args.Name, true), nil
}
