package docker

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/envfile"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// maxEnvFile bounds what is read of env_file, in bytes.
const maxEnvFile = 1 << 20

// readEnvFile adds the variables of env_file; known is false if a preview cannot know them.
func (r *run) readEnvFile(v *filesys.View) (known bool, err error) {
	if r.envFile == "" {
		return true, nil
	}
	text, err := v.ReadFile(r.envFile, maxEnvFile)
	var unknown *runtime.UnknownError
	if errors.As(err, &unknown) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	file, err := envfile.Parse(string(text))
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.envFile, err)
	}
	vars := maps.Clone(r.env)
	if vars == nil {
		vars = map[string]string{}
	}
	for _, variable := range file {
		vars[variable.Name] = variable.Value
	}
	r.def.Env, err = environment(vars)
	return true, err
}

// missing says what a definition refers to and is not there.
func (r *run) missing(ctx context.Context, e *engine.Client, rd *runtime.Reader) (string, error) {
	o := overlayOf(rd.World())
	v := filesys.Read(rd)
	for _, m := range r.def.Volumes {
		if m.Type != mount.TypeBind {
			continue // the engine makes a volume that is not there
		}
		if _, err := v.Stat(m.Source); errors.Is(err, fs.ErrNotExist) {
			return fmt.Sprintf("volumes: there is no %s on this machine; fs.mkdir makes it", m.Source), nil
		} else if err != nil && !errors.As(err, new(*runtime.UnknownError)) {
			return "", err
		}
	}
	if slices.Contains([]string{"default", "bridge", "host", "none"}, r.def.Network) {
		return "", nil
	}
	there, predicted := lookup(o, o.networks, r.def.Network)
	if !predicted || !rd.Preview() {
		n, err := e.Network(ctx, r.def.Network)
		if err != nil {
			return "", err
		}
		there = n != nil
	}
	if !there {
		return fmt.Sprintf("there is no network %s; docker.network makes it", r.def.Network), nil
	}
	return "", nil
}
