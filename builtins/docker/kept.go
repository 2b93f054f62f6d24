package docker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/network"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
	"github.com/infrarun/infrarun/runtime/journal"
)

const (
	// definitionLabel has the aspects of a container that docker.run made.
	definitionLabel = "infrarun.definition"
	// changeLabel marks a container with the change that made it, so that its undo finds it.
	changeLabel = "infrarun.change"
)

// keptContainer is a container as it was before a change, to go back to it. It is data, for the arguments of an undo.
type keptContainer struct {
	ID      string                  `json:"id"`
	Name    string                  `json:"name"`
	Running bool                    `json:"running"`
	Paused  bool                    `json:"paused,omitempty"`
	Restart container.RestartPolicy `json:"restart"`
	Aside   string                  `json:"aside,omitempty"`  // its name while it is set aside
	Image   *engine.Kept            `json:"image,omitempty"`  // nil if the change does not stop it for long
	Record  *journal.Blob           `json:"record,omitempty"` // all about it, to make an equal one
	Stop    int                     `json:"stop"`             // how long it has to end, in seconds
}

// asideName is the name of a container that a change has set aside.
func asideName(sign, token, name string) string {
	return fmt.Sprintf("infrarun-kept.%s.%s.%s", sign, token, name)
}

var asidePattern = regexp.MustCompile(`^infrarun-kept\.([0-9]{8}-[0-9]{6}-[0-9]{3}(?:\.[0-9a-f]{8})?)\.[0-9a-f]{12}\.(.+)$`)

// keptRun returns the sign of the run that has set a container of this name aside, "" if none has.
func keptRun(name string) string {
	if m := asidePattern.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}

// defaultStop is how long a container has to end that says nothing about it, in seconds.
const defaultStop = 10

// keepContainer notes a container as it is, with all about it that it takes to make an equal one: who cleans up in between
// removes what does not run. If the change stops it, or removes it, its image is kept as well.
func keepContainer(ctx context.Context, k *runtime.Keeper, c *container.InspectResponse, stops bool) (*keptContainer, error) {
	kept := &keptContainer{
		ID: c.ID, Name: strings.TrimPrefix(c.Name, "/"), Running: c.State.Running, Paused: c.State.Paused,
		Restart: c.HostConfig.RestartPolicy, Stop: defaultStop,
	}
	if c.Config.StopTimeout != nil {
		kept.Stop = *c.Config.StopTimeout
	}
	e, err := engine.Open(ctx)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	if stops {
		image, err := e.KeepImage(ctx, k, c.Image, c.ID)
		if err != nil {
			return nil, err
		}
		kept.Image = &image
	}
	text, err := describe(ctx, e, c)
	if err != nil {
		return nil, err
	}
	// Its variables may be secrets.
	record, err := k.Keep(bytes.NewReader(text), true)
	if err != nil {
		return nil, fmt.Errorf("keep the description of container %s: %w", kept.Name, err)
	}
	kept.Record = &record
	return kept, nil
}

// record is all about a container that it takes to make an equal one.
type record struct {
	Container *container.InspectResponse
	Networks  []network.Inspect // those that somebody may remove while no container that runs is in them
}

// describe writes down all about a container.
func describe(ctx context.Context, e *engine.Client, c *container.InspectResponse) ([]byte, error) {
	r := record{Container: c}
	if c.NetworkSettings != nil {
		for _, name := range sortedKeys(c.NetworkSettings.Networks) {
			n, err := e.Network(ctx, name)
			if err != nil {
				return nil, err
			}
			if n != nil && !slices.Contains([]string{"bridge", "host", "none"}, name) {
				r.Networks = append(r.Networks, *n)
			}
		}
	}
	return json.Marshal(r)
}

// containerUndo are the arguments of the undo of what changes containers.
type containerUndo struct {
	Name    string         `json:"name"`
	Token   string         `json:"token,omitempty"`   // of the container that the change made
	Before  *keptContainer `json:"before,omitempty"`  // nil: there was none
	Volumes []string       `json:"volumes,omitempty"` // that were not there before
}

// containerLeft is what a change has left.
type containerLeft struct {
	ID      string `json:"id"` // "": none of the name
	Running bool   `json:"running"`
}

// undoContainer removes what a change made, and brings back what was before.
func undoContainer(ctx context.Context, w *runtime.Writer, args containerUndo) error {
	x, err := newControl(ctx, w)
	if err != nil {
		return err
	}
	defer x.Close()
	if args.Token != "" {
		if err := x.removeMade(ctx, args.Token); err != nil {
			return err
		}
	}
	if err := failpoint.Hit("docker.undo-after-remove"); err != nil {
		return err
	}
	for _, name := range args.Volumes {
		if err := x.dropVolume(ctx, name); err != nil {
			return err
		}
	}
	if args.Before == nil {
		return nil
	}
	return x.bringBack(ctx, *args.Before)
}

// containerDrift says how a container differs from what a change has left.
func containerDrift(ctx context.Context, _ *runtime.Reader, args containerUndo, after containerLeft) (string, error) {
	e, err := engine.Open(ctx)
	if err != nil {
		return "", err
	}
	defer e.Close()
	c, err := e.Container(ctx, args.Name)
	switch {
	case err != nil:
		return "", err
	case c == nil && after.ID != "":
		return "the container is gone", nil
	case c == nil:
		return "", nil
	case after.ID == "":
		return "there is a container of that name again", nil
	case !engine.Is(*c, after.ID):
		return "it is another container, " + imageref.Short(c.ID), nil
	case c.State.Running && !after.Running:
		return "it did not run, and does now", nil
	case !c.State.Running && after.Running:
		return "it ran, and does not any more", nil
	}
	return "", nil
}
