package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/docker/docker/api/types/volume"
	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/builtins/internal/fileundo"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/journal"
	"github.com/infrarun/infrarun/runtime/policy"
)

type restoreArgs struct {
	Name string `arg:"name" doc:"the volume's name; it is made if there is none"`
	Src  string `arg:"src" doc:"a file that docker.backup_volume made"`
}

var restoreBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.restore_volume", Undo: runtime.Compensating, Returns: changedDoc,
	Permission: volumePermission + ", `fs.read` on src",
	Doc: "Has a volume hold what a backup holds, and nothing else. It is an error if a container that runs has the volume: stop it " +
		"before. The volume must be one of the driver local of an engine on this machine, which infrarun can reach as root. " +
		"Undo puts back what it held.",
	Example: `docker.stop("console")` + "\n" + `docker.restore_volume("console-data", backup + "/console-data.tar.gz")` + "\n" +
		`docker.start("console")`,
}, func(c *runtime.Call, a restoreArgs) (starlark.Value, error) {
	if err := checkName("volume", a.Name); err != nil {
		return nil, err
	}
	return c.Do(&restore{name: a.Name, src: filesys.Abs(c.BaseDir(), a.Src)})
})

// restore is the change that replaces what a volume holds.
type restore struct {
	name, src string

	found *volume.Volume // nil: it is made
	saved string
	token string
}

// Describe implements [runtime.Change].
func (v *restore) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.restore_volume", Target: v.name, Undo: runtime.Compensating, UndoNote: "puts back what it held",
		Needs: []policy.Need{needVolume(v.name), {Kind: "fs.read", Target: v.src}},
	}
}

// Probe implements [runtime.Change].
func (v *restore) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "hold what " + v.src + " holds"}
		view := filesys.Read(r)
		if _, err := view.Stat(v.src); errors.Is(err, fs.ErrNotExist) {
			return found, fmt.Errorf("there is no backup %s", v.src)
		} else if err != nil {
			return found, err
		}
		if !view.Predicted(v.src) {
			if err := isTar(v.src); err != nil {
				return found, err
			}
		}
		var err error
		if _, v.found, err = lookVolume(ctx, e, r, v.name); err != nil {
			return found, err
		}
		if v.found != nil && (v.found.Driver != "local" || len(v.found.Options) > 0) {
			return found, fmt.Errorf("it has %s: only a plain local volume can be emptied", kindOf(v.found))
		}
		users, err := usersOfVolume(ctx, e, r, v.name)
		if err != nil {
			return found, err
		}
		return found, hinder(&found, users, running, "containers that run have it: %s; docker.stop them before")
	})
}

// Undo implements [runtime.Change].
func (v *restore) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	var err error
	if v.saved, err = k.TrashPath(); err != nil {
		return nil, err
	}
	v.token = newToken()
	args := volumeUndo{Name: v.name, Token: v.token, Saved: v.saved, Created: v.found == nil}
	return &runtime.Undo{Kind: volumeKind, Args: args, Note: "puts back what it held"}, nil
}

// Apply implements [runtime.Change].
func (v *restore) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	// Before the volume is emptied.
	if err := readTar(ctx, v.src); err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	if v.found != nil {
		if _, err := x.saveVolume(ctx, v.name, v.saved, v.token); err != nil {
			return runtime.Applied{}, err
		}
	}
	err = x.fillVolume(ctx, v.name, v.src, v.token)
	return runtime.Applied{Value: changed(v.name, true)}, err
}

// Predict implements [runtime.Change].
func (v *restore) Predict(w *runtime.World) (starlark.Value, error) {
	o := overlayOf(w)
	predict(o, o.volumes, v.name, true)
	return changed(v.name, true), nil
}

// volumeUndo are the arguments of the undo of what changes what volumes hold.
type volumeUndo struct {
	Name  string `json:"name,omitempty"`
	Token string `json:"token"`           // of the container by whose way it was reached
	Saved string `json:"saved,omitempty"` // the file with what the volume held; if it is not there the change had not begun
	// Created tells that there was no such volume.
	Created bool `json:"created,omitempty"`
	// Removes tells that the change removes the volume.
	Removes bool `json:"removes,omitempty"`
	// Elsewhere tells that what it holds stays where it is.
	Elsewhere bool              `json:"elsewhere,omitempty"`
	Driver    string            `json:"driver,omitempty"`
	Options   *journal.Blob     `json:"options,omitempty"` // of the driver, sealed: they may have a password of a file server
	Labels    map[string]string `json:"labels,omitempty"`
	Files     fileundo.Records  `json:"files,omitempty"`
}

// keepOptions keeps the options of a volume's driver.
func keepOptions(k *runtime.Keeper, options map[string]string) (*journal.Blob, error) {
	if len(options) == 0 {
		return nil, nil
	}
	text, err := json.Marshal(options)
	if err != nil {
		return nil, err
	}
	blob, err := k.Keep(bytes.NewReader(text), true)
	return &blob, err
}

// undoVolume puts back what a volume held.
func undoVolume(ctx context.Context, w *runtime.Writer, args volumeUndo) error {
	x, err := newControl(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	err = errors.Join(x.removeHelper(ctx, args.Token), args.Files.Undo(ctx, w))
	switch {
	case err != nil || args.Name == "":
		return err
	case args.Created:
		return x.dropVolume(ctx, args.Name)
	}
	return x.refill(ctx, args)
}
