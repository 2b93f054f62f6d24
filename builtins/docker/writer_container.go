package docker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// control is the engine, for what changes containers, networks and volumes.
type control struct{ *engine.Writer }

func newControl(ctx context.Context, w *runtime.Writer) (*control, error) {
	x, err := engine.Write(ctx, w)
	if err != nil {
		return nil, err
	}
	return &control{x}, nil
}

// start starts a container.
func (x *control) start(ctx context.Context, id string) error {
	if err := x.API.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return fmt.Errorf("start it: %w", engine.Explain(ctx, err))
	}
	return nil
}

// resume has a container run that is there: one that is paused goes on.
func (x *control) resume(ctx context.Context, c *container.InspectResponse) error {
	if !c.State.Paused {
		return x.start(ctx, c.ID)
	}
	if err := x.API.ContainerUnpause(ctx, c.ID); err != nil {
		return fmt.Errorf("let it go on: %w", engine.Explain(ctx, err))
	}
	return nil
}

// stop stops a container that has so many seconds to end. One that was made with --rm is gone then.
func (x *control) stop(ctx context.Context, c *container.InspectResponse, seconds int) error {
	err := x.API.ContainerStop(ctx, c.ID, container.StopOptions{Timeout: &seconds})
	if err == nil && c.HostConfig.AutoRemove {
		err = x.untilGone(ctx, c.ID)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("stop it: %w", engine.Explain(ctx, err))
	}
	return nil
}

// untilGone waits until the engine has removed a container that was made with --rm: it says that the container has stopped
// before that, and the name is free only after it.
func (x *control) untilGone(ctx context.Context, id string) error {
	done, failed := x.API.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case ended := <-done:
		if ended.Error != nil {
			return errors.New(ended.Error.Message)
		}
		return nil
	case err := <-failed:
		return err
	}
}

func (x *control) rename(ctx context.Context, id, name string) error {
	if err := x.API.ContainerRename(ctx, id, name); err != nil {
		return fmt.Errorf("rename container %s to %s: %w", imageref.Short(id), name, engine.Explain(ctx, err))
	}
	return nil
}

// setRestart changes what happens when a container ends. One that is set aside must not be started by an engine that
// starts anew.
func (x *control) setRestart(ctx context.Context, c *container.InspectResponse, to container.RestartPolicy) error {
	if c.HostConfig.AutoRemove || c.HostConfig.RestartPolicy == to {
		return nil
	}
	if _, err := x.API.ContainerUpdate(ctx, c.ID, container.UpdateConfig{RestartPolicy: to}); err != nil {
		return fmt.Errorf("change its restart policy: %w", engine.Explain(ctx, err))
	}
	return nil
}

// remove removes a container, and the volumes that have no name.
func (x *control) remove(ctx context.Context, id string) error {
	err := x.API.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove container %s: %w", imageref.Short(id), engine.Explain(ctx, err))
	}
	return nil
}

// setAside stops a container and gives it another name, so that a new one can take its place.
func (x *control) setAside(ctx context.Context, kept *keptContainer) error {
	c, err := x.Container(ctx, kept.ID)
	if err != nil || c == nil {
		return err
	}
	if kept.Image != nil {
		if err := x.Hold(ctx, *kept.Image); err != nil {
			return err
		}
	}
	if err := x.setRestart(ctx, c, container.RestartPolicy{Name: container.RestartPolicyDisabled}); err != nil {
		return err
	}
	if c.State.Running {
		if err := x.stop(ctx, c, kept.Stop); err != nil {
			return err
		}
	}
	if err := failpoint.Hit("docker.after-stop"); err != nil {
		return err
	}
	if c, err = x.Container(ctx, kept.ID); err != nil || c == nil {
		return err // it was made with --rm
	}
	return x.rename(ctx, kept.ID, kept.Aside)
}

// removeMade removes the containers that a change has made, and keeps their logs. They end as they want to: volumes that
// they write to stay.
func (x *control) removeMade(ctx context.Context, token string) error {
	list, err := x.Containers(ctx, engine.Labels{changeLabel: token})
	if err != nil {
		return err
	}
	var errs []error
	for _, c := range list {
		if c.State != container.StateCreated && c.State != container.StateExited {
			if err := x.API.ContainerStop(ctx, c.ID, container.StopOptions{}); err != nil {
				x.Run.Warn("container %s is ended by force: %v", engine.NameOf(c), engine.Explain(ctx, err))
			}
		}
		if err := x.saveLogs(ctx, c.ID, engine.NameOf(c)); err != nil {
			x.Run.Warn("the logs of container %s could not be saved: %v", engine.NameOf(c), err)
		}
		err := x.discardNameless(ctx, c)
		if err == nil {
			err = x.remove(ctx, c.ID)
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// discardNameless saves what volumes hold that a container has without naming them: they go with it.
func (x *control) discardNameless(ctx context.Context, c container.Summary) error {
	for _, m := range c.Mounts {
		if m.Type != mount.TypeVolume || !idPattern.MatchString(m.Name) {
			continue
		}
		token := dropToken(x.Run.RunID(), m.Name)
		if err := x.removeHelper(ctx, token); err != nil {
			return err
		}
		if err := x.discard(ctx, m.Name, token); err != nil {
			return err
		}
	}
	return nil
}

// shownLines is how many of the last lines of a container that is removed are shown.
const shownLines = 20

// saveLogs writes what a container has printed to a file in the run's directory, and shows its end.
func (x *control) saveLogs(ctx context.Context, id, name string) (err error) {
	text, err := containerLogs(ctx, x.Client, id, container.LogsOptions{})
	if err != nil || text == "" {
		return err
	}
	path, err := x.Run.Discard()
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return err
	}
	x.Run.Output("stderr", fmt.Sprintf("the logs of container %s are in %s; they end:", name, path))
	for _, line := range engine.LastLines(text, shownLines) {
		x.Run.Output("stderr", name+" | "+line)
	}
	return nil
}

// bringBack has a container be as it was: under its name, running or not.
func (x *control) bringBack(ctx context.Context, kept keptContainer) error {
	c, err := x.Container(ctx, kept.ID)
	if err != nil {
		return err
	}
	if c == nil {
		if c, err = x.again(ctx, kept); err != nil {
			return err
		}
	}
	if strings.TrimPrefix(c.Name, "/") != kept.Name {
		if err := x.rename(ctx, c.ID, kept.Name); err != nil {
			return err
		}
		if err := failpoint.Hit("docker.undo-after-rename"); err != nil {
			return err
		}
	}
	if err := x.setRestart(ctx, c, kept.Restart); err != nil {
		return err
	}
	switch {
	case kept.Running && !c.State.Running:
		if err = x.reconnect(ctx, kept, c); err == nil {
			err = x.start(ctx, c.ID)
		}
	case !kept.Running && c.State.Running:
		err = x.stop(ctx, c, kept.Stop)
	}
	if err == nil && kept.Paused && !c.State.Paused {
		err = engine.Explain(ctx, x.API.ContainerPause(ctx, c.ID))
	}
	if err != nil {
		return fmt.Errorf("bring back container %s: %w", kept.Name, err)
	}
	if kept.Image != nil {
		return x.Release(ctx, *kept.Image)
	}
	return nil
}
