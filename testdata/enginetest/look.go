package enginetest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// Prune removes all that does not run, as `docker system prune --all --force` does.
func (e *Engine) Prune() {
	e.t.Helper()
	ctx := context.Background()
	_, err := e.API.ContainersPrune(ctx, filters.NewArgs())
	e.must(err)
	_, err = e.API.NetworksPrune(ctx, filters.NewArgs())
	e.must(err)
	_, err = e.API.ImagesPrune(ctx, filters.NewArgs(filters.Arg("dangling", "false")))
	e.must(err)
}

// Clean removes all that is in the engine.
func (e *Engine) Clean() {
	e.t.Helper()
	ctx := context.Background()
	list, err := e.API.ContainerList(ctx, container.ListOptions{All: true})
	e.must(err)
	for _, c := range list {
		e.must(e.API.ContainerRemove(ctx, c.ID, container.RemoveOptions{Force: true, RemoveVolumes: true}))
	}
	e.Prune()
	volumes, err := e.API.VolumeList(ctx, volume.ListOptions{})
	e.must(err)
	for _, v := range volumes.Volumes {
		e.must(e.API.VolumeRemove(ctx, v.Name, true))
	}
}

// Container returns a container; a test that asks for one that is not there fails.
func (e *Engine) Container(name string) container.InspectResponse {
	e.t.Helper()
	c, err := e.API.ContainerInspect(context.Background(), name)
	e.must(err)
	return c
}

// ImageID returns the id of an image, "" if there is none.
func (e *Engine) ImageID(ref string) string {
	img, err := e.API.ImageInspect(context.Background(), ref)
	if err != nil {
		return ""
	}
	return img.ID
}

// State describes all that is in the engine, a line each: containers with their id, state and image, tags of images,
// networks and volumes.
func (e *Engine) State() string {
	e.t.Helper()
	ctx := context.Background()
	var lines []string
	containers, err := e.API.ContainerList(ctx, container.ListOptions{All: true})
	e.must(err)
	for _, c := range containers {
		lines = append(lines, fmt.Sprintf("container %s %s %s %s", c.Names[0], c.ID[:12], c.State, c.ImageID))
	}
	images, err := e.API.ImageList(ctx, image.ListOptions{})
	e.must(err)
	for _, i := range images {
		for _, tag := range i.RepoTags {
			lines = append(lines, fmt.Sprintf("image %s %s", tag, i.ID))
		}
	}
	networks, err := e.API.NetworkList(ctx, network.ListOptions{})
	e.must(err)
	for _, n := range networks {
		if n.Name == "bridge" {
			n.ID = "that the engine makes" // anew, when it starts
		}
		lines = append(lines, fmt.Sprintf("network %s %.12s", n.Name, n.ID))
	}
	volumes, err := e.API.VolumeList(ctx, volume.ListOptions{})
	e.must(err)
	for _, v := range volumes.Volumes {
		labels, err := json.Marshal(v.Labels)
		e.must(err)
		lines = append(lines, fmt.Sprintf("volume %s %s", v.Name, labels))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// must stops the test if the engine fails.
func (e *Engine) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatalf("the engine of the test: %v", err)
	}
}

// PruneNetworks removes the networks in which nothing runs, as `docker network prune` does.
func (e *Engine) PruneNetworks() {
	e.t.Helper()
	_, err := e.API.NetworksPrune(context.Background(), filters.NewArgs())
	e.must(err)
}
