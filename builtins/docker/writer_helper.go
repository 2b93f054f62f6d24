package docker

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// helperPath is where a helper sees the volume.
const helperPath = "/volume"

// helperImage is the reference of the empty image of a helper.
func helperImage(token string) string { return helperRepository + ":" + token }

const helperRepository = "infrarun/volume"

// withVolume calls a function with a helper: a container that has a volume and is never started. Its image has nothing in
// it, so that none has to be there.
func (x *control) withVolume(ctx context.Context, name, token string, do func(id string) error) (err error) {
	var empty bytes.Buffer
	w := tar.NewWriter(&empty)
	err = w.WriteHeader(&tar.Header{Name: strings.TrimPrefix(helperPath, "/") + "/", Typeflag: tar.TypeDir, Mode: 0o755})
	if err := errors.Join(err, w.Close()); err != nil {
		return err
	}
	defer func() {
		err = errors.Join(err, x.removeHelper(context.WithoutCancel(ctx), token))
	}()
	source := image.ImportSource{Source: &empty, SourceName: "-"}
	answer, err := x.API.ImageImport(ctx, source, helperImage(token), image.ImportOptions{})
	if err == nil {
		err = engine.Follow(ctx, answer, nil)
	}
	if err != nil {
		return fmt.Errorf("reach volume %s: %w", name, engine.Explain(ctx, err))
	}
	made, err := x.API.ContainerCreate(ctx,
		&container.Config{Image: helperImage(token), Cmd: []string{"none"}, Labels: map[string]string{changeLabel: token}},
		&container.HostConfig{NetworkMode: "none", Mounts: []mount.Mount{{Type: mount.TypeVolume, Source: name, Target: helperPath}}},
		nil, nil, "infrarun-volume."+token)
	if err != nil {
		return fmt.Errorf("reach volume %s: %w", name, engine.Explain(ctx, err))
	}
	if err := failpoint.Hit("docker.after-helper"); err != nil {
		return err
	}
	return do(made.ID)
}

// removeHelper removes a helper, if it is there.
func (x *control) removeHelper(ctx context.Context, token string) error {
	list, err := x.Containers(ctx, engine.Labels{changeLabel: token})
	for _, c := range list {
		err = errors.Join(err, x.remove(ctx, c.ID))
	}
	return errors.Join(err, x.RemoveImage(ctx, helperImage(token), false))
}
