package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// Labels are wanted labels: a value "" asks only for the label.
type Labels map[string]string

func (l Labels) filter() filters.Args {
	f := filters.NewArgs()
	for name, value := range l {
		if value != "" {
			name += "=" + value
		}
		f.Add("label", name)
	}
	return f
}

// Containers lists the containers that have all of these labels, also those that do not run, by name.
func (c *Client) Containers(ctx context.Context, labels Labels) ([]container.Summary, error) {
	list, err := c.ContainerList(ctx, container.ListOptions{All: true, Filters: labels.filter()})
	if err != nil {
		return nil, fmt.Errorf("list containers: %w", Explain(ctx, err))
	}
	slices.SortFunc(list, func(a, b container.Summary) int { return strings.Compare(NameOf(a), NameOf(b)) })
	return list, nil
}

// NameOf returns the name of a listed container.
func NameOf(c container.Summary) string {
	for _, name := range c.Names {
		if name = strings.TrimPrefix(name, "/"); !strings.Contains(name, "/") {
			return name // not that of a link
		}
	}
	return c.ID
}

// Container returns a container by its name or whole id, nil if there is none.
func (c *Client) Container(ctx context.Context, name string) (*container.InspectResponse, error) {
	found, err := c.ContainerInspect(ctx, name)
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at container %s: %w", name, Explain(ctx, err))
	case strings.TrimPrefix(found.Name, "/") != name && found.ID != name:
		return nil, nil // the engine takes the beginning of an id as well, and "db" begins ids
	}
	return &found, nil
}

// Image returns an image by a reference or its id, nil if it is not on this machine.
func (c *Client) Image(ctx context.Context, ref string) (*image.InspectResponse, error) {
	found, err := c.ImageInspect(ctx, ref)
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at image %s: %w", ref, Explain(ctx, err))
	}
	return &found, nil
}

// Network returns a network by its name, nil if there is none.
func (c *Client) Network(ctx context.Context, name string) (*network.Inspect, error) {
	found, err := c.NetworkInspect(ctx, name, network.InspectOptions{})
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at network %s: %w", name, Explain(ctx, err))
	case found.Name != name && found.ID != name:
		return nil, nil // the engine takes the beginning of an id as well
	}
	return &found, nil
}

// Volume returns a volume by its name, nil if there is none.
func (c *Client) Volume(ctx context.Context, name string) (*volume.Volume, error) {
	found, err := c.VolumeInspect(ctx, name)
	switch {
	case absent(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look at volume %s: %w", name, Explain(ctx, err))
	}
	return &found, nil
}

// Users lists the containers that were made from an image, also those that do not run.
func (c *Client) Users(ctx context.Context, imageID string) ([]container.Summary, error) {
	all, err := c.Containers(ctx, nil)
	return slices.DeleteFunc(all, func(s container.Summary) bool { return s.ImageID != imageID }), err
}
