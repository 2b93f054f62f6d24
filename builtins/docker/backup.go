package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

type backupArgs struct {
	Name string `arg:"name" doc:"the volume's name"`
	Dst  string `arg:"dst" doc:"the file that the backup becomes, a tar; if its name ends in .gz it is compressed. Nothing may be there"`
}

var backupBuiltin = runtime.Define(runtime.Builtin{
	Name: "docker.backup_volume", Undo: runtime.Compensating,
	Returns:    "struct(path, size, in_use): the file, its size in bytes, and the containers that ran and may have written meanwhile",
	Permission: volumePermission + ", `fs.write` on dst",
	Doc: "Copies what a volume holds to a tar file of mode 0600, with owners and modes, by way of a container that is made for it " +
		"and never started. Stop who writes to it before, so that the files fit together; in_use tells if somebody ran. There is " +
		"never a part of a backup under the name. Undo removes it.",
	Example: `docker.backup_volume("console-data", backup + "/console-data.tar.gz")`,
}, func(c *runtime.Call, a backupArgs) (starlark.Value, error) {
	if err := checkName("volume", a.Name); err != nil {
		return nil, err
	}
	return c.Do(&backup{name: a.Name, dst: filesys.Abs(c.BaseDir(), a.Dst)})
})

// backup is the change that copies a volume to a file.
type backup struct {
	name, dst string
	draft     string // what the file is called until it is whole
	token     string
}

// Describe implements [runtime.Change].
func (b *backup) Describe() runtime.Description {
	return runtime.Description{
		Call: "docker.backup_volume", Target: b.dst, Undo: runtime.Compensating, UndoNote: "removes the backup",
		Needs: []policy.Need{needVolume(b.name), {Kind: "fs.write", Target: b.dst}},
	}
}

// Probe implements [runtime.Change].
func (b *backup) Probe(ctx context.Context, r *runtime.Reader) (runtime.Finding, error) {
	return looking(ctx, r, func(e *engine.Client) (runtime.Finding, error) {
		found := runtime.Finding{Needed: true, Summary: "copy of volume " + b.name}
		v := filesys.Read(r)
		if _, err := v.Lstat(b.dst); err == nil {
			return found, errors.New("is there already, and a backup replaces nothing; choose another name, or remove it with fs.remove")
		} else if !errors.Is(err, fs.ErrNotExist) {
			return found, err
		}
		dir, err := v.Stat(filepath.Dir(b.dst))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return found, fmt.Errorf("the directory %s does not exist; make it with fs.mkdir", filepath.Dir(b.dst))
		case err != nil:
			return found, err
		case dir.Kind != filesys.Dir:
			return found, fmt.Errorf("%s is no directory", filepath.Dir(b.dst))
		}
		return found, volumeThere(ctx, e, r, b.name)
	})
}

func volumeThere(ctx context.Context, e *engine.Client, r *runtime.Reader, name string) error {
	there, _, err := lookVolume(ctx, e, r, name)
	if err == nil && !there {
		err = fmt.Errorf("there is no volume %s", name)
	}
	return err
}

// Undo implements [runtime.Change].
func (b *backup) Undo(_ context.Context, k *runtime.Keeper) (*runtime.Undo, error) {
	b.token = newToken()
	b.draft = filepath.Join(filepath.Dir(b.dst), ".infrarun-volume-"+b.token)
	args := volumeUndo{Token: b.token}
	err := args.Files.Add(filesys.UndoCreated(k, b.draft, b.dst))
	return &runtime.Undo{Kind: volumeKind, Args: args, Note: "removes the backup"}, err
}

// Apply implements [runtime.Change].
func (b *backup) Apply(ctx context.Context, w *runtime.Writer) (runtime.Applied, error) {
	x, err := newControl(ctx, w)
	if err != nil {
		return runtime.Applied{}, runtime.NotApplied(err)
	}
	defer x.Close()
	users, err := volumeUsers(ctx, x.Client, b.name)
	if err != nil {
		return runtime.Applied{}, err
	}
	n, err := x.backup(ctx, b)
	return runtime.Applied{Value: structOf(starlark.StringDict{
		"path": starlark.String(b.dst), "size": starlark.MakeInt64(n), "in_use": listOf(namesOf(users, runs)),
	})}, err
}

// Predict implements [runtime.Change].
func (b *backup) Predict(w *runtime.World) (starlark.Value, error) {
	err := filesys.Predicted(w).Opaque(b.dst, "the backup of volume "+b.name)
	return partial("the backup of volume "+b.name, []string{"path", "size", "in_use"}, starlark.StringDict{"path": starlark.String(b.dst)}), err
}
