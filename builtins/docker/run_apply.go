package docker

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"maps"

	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// newToken marks a change.
func newToken() string {
	var b [6]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

// Undo implements [runtime.Change].
func (r *run) Undo(ctx context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	args := containerUndo{Name: r.name}
	note := "removes it"
	if r.found != nil {
		var err error
		if r.before, err = keepContainer(ctx, k, r.found, !r.resume); err != nil {
			return nil, err
		}
		args.Before = r.before
		note = "brings back container " + imageref.Short(r.found.ID)
	}
	if r.resume {
		return &runtime.Undo{Kind: containerKind, Args: args, Note: "stops it"}, nil
	}
	r.token = newToken()
	args.Token = r.token
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	for _, m := range r.def.Volumes {
		if m.Type != mount.TypeVolume {
			continue
		}
		v, err := e.Volume(ctx, m.Source)
		if err != nil {
			return nil, err
		}
		if v == nil {
			r.volumes = append(r.volumes, m.Source)
		}
	}
	args.Volumes = r.volumes
	return &runtime.Undo{Kind: containerKind, Args: args, Note: note}, nil
}

// Apply implements [runtime.Change].
func (r *run) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	var id string
	if r.resume {
		id, err = r.found.ID, x.resume(ctx, r.found)
	} else {
		id, err = r.replace(ctx, x)
	}
	if err != nil {
		return runtime.Applied{}, err
	}
	return applied(ctx, x, id)
}

// applied looks at a container after a change.
func applied(ctx context.Context, x *control, id string) (runtime.Applied, error) {
	c, err := x.Container(ctx, id)
	if err == nil && c == nil {
		err = fmt.Errorf("the container is gone at once: it has ended, and is one that is removed then")
	}
	if err != nil {
		return runtime.Applied{}, err
	}
	return runtime.Applied{Value: containerValue(c), After: containerLeft{c.ID, c.State.Running}}, nil
}

// replace makes the new container, sets the old one aside, and starts the new one. It is made first: what is wrong with its
// definition is found while the old one still runs.
func (r *run) replace(ctx context.Context, x *control) (id string, err error) {
	config, host, networks, err := r.def.config()
	if err != nil {
		return "", runtime.NotApplied(err)
	}
	config.Labels = map[string]string{definitionLabel: r.aspects.String(), changeLabel: r.token}
	maps.Copy(config.Labels, r.def.Labels)
	name := r.name
	if r.before != nil {
		name = "infrarun-new." + r.token + "." + r.name
		r.before.Aside = asideName(x.Run.Sign(), r.token, r.name)
	}
	made, err := x.API.ContainerCreate(ctx, config, host, networks, nil, name)
	if err != nil {
		return "", r.notMade(ctx, x, fmt.Errorf("create it: %w", engine.Explain(ctx, err)))
	}
	for _, warning := range made.Warnings {
		x.Run.Warn("%s: %s", r.name, warning)
	}
	if err := failpoint.Hit("docker.after-create"); err != nil {
		return "", err
	}
	if r.before != nil {
		if err := x.setAside(ctx, r.before); err != nil {
			return "", err
		}
		if err := failpoint.Hit("docker.after-aside"); err != nil {
			return "", err
		}
		if err := x.rename(ctx, made.ID, r.name); err != nil {
			return "", err
		}
	}
	return made.ID, x.start(ctx, made.ID)
}

// notMade marks an error of making the new container as one that changed nothing, if that is so: the engine makes volumes
// before it finds out what else is wrong.
func (r *run) notMade(ctx context.Context, x *control, err error) error {
	if !engine.Said(err) {
		return err
	}
	for _, name := range r.volumes {
		if v, looked := x.Volume(ctx, name); looked != nil || v != nil {
			return err
		}
	}
	return runtime.NotApplied(err)
}
