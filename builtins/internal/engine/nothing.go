package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/runtime"
)

// Look is Open for a probe. A preview may be of a run that first installs the engine: if there is no trace of one, it gets
// a client of an engine that has nothing, for which [Client.Assumed] says what is taken for granted.
func Look(ctx context.Context, r *runtime.Reader) (*Client, error) {
	c, err := Open(ctx)
	var gone *UnavailableError
	if !errors.As(err, &gone) || !r.Preview() {
		return c, err
	}
	socket, local := strings.CutPrefix(gone.Address, "unix://")
	if _, serr := os.Stat(socket); !local || !errors.Is(serr, fs.ErrNotExist) {
		return nil, err // there is one, but it does not answer
	}
	return &Client{Reading: nothing{gone.Address}, missing: true}, nil
}

// Assumed is what a preview takes for granted about the engine itself, "" for nothing.
func (c *Client) Assumed() string {
	if c.missing {
		return "a Docker engine runs by then at " + c.DaemonHost() + ", and has nothing yet"
	}
	return ""
}

// nothing is an engine that has nothing.
type nothing struct{ address string }

var _ Reading = nothing{}

func none(what string) error { return fmt.Errorf("there is no %s yet: %w", what, errdefs.ErrNotFound) }

func (n nothing) ClientVersion() string                    { return "" }
func (n nothing) DaemonHost() string                       { return n.address }
func (n nothing) Ping(context.Context) (types.Ping, error) { return types.Ping{}, none("engine") }
func (n nothing) Info(context.Context) (system.Info, error) {
	return system.Info{}, none("engine")
}

func (n nothing) DiskUsage(context.Context, types.DiskUsageOptions) (types.DiskUsage, error) {
	return types.DiskUsage{}, nil
}

func (n nothing) Events(context.Context, events.ListOptions) (<-chan events.Message, <-chan error) {
	failed := make(chan error, 1)
	failed <- none("engine")
	return nil, failed
}

func (n nothing) ContainerList(context.Context, container.ListOptions) ([]container.Summary, error) {
	return nil, nil
}

func (n nothing) ContainerInspect(context.Context, string) (container.InspectResponse, error) {
	return container.InspectResponse{}, none("container")
}

func (n nothing) ContainerLogs(context.Context, string, container.LogsOptions) (io.ReadCloser, error) {
	return nil, none("container")
}

func (n nothing) ContainerStats(context.Context, string, bool) (container.StatsResponseReader, error) {
	return container.StatsResponseReader{}, none("container")
}

func (n nothing) CopyFromContainer(context.Context, string, string) (io.ReadCloser, container.PathStat, error) {
	return nil, container.PathStat{}, none("container")
}

func (n nothing) ImageList(context.Context, image.ListOptions) ([]image.Summary, error) {
	return nil, nil
}

func (n nothing) ImageInspect(context.Context, string, ...client.ImageInspectOption) (image.InspectResponse, error) {
	return image.InspectResponse{}, none("image")
}

func (n nothing) ImageSave(context.Context, []string, ...client.ImageSaveOption) (io.ReadCloser, error) {
	return nil, none("image")
}

func (n nothing) DistributionInspect(context.Context, string, string) (registry.DistributionInspect, error) {
	return registry.DistributionInspect{}, none("engine")
}

func (n nothing) NetworkList(context.Context, network.ListOptions) ([]network.Summary, error) {
	return nil, nil
}

func (n nothing) NetworkInspect(context.Context, string, network.InspectOptions) (network.Inspect, error) {
	return network.Inspect{}, none("network")
}

func (n nothing) VolumeList(context.Context, volume.ListOptions) (volume.ListResponse, error) {
	return volume.ListResponse{}, nil
}

func (n nothing) VolumeInspect(context.Context, string) (volume.Volume, error) {
	return volume.Volume{}, none("volume")
}

func (n nothing) NodeList(context.Context, swarm.NodeListOptions) ([]swarm.Node, error) {
	return nil, nil
}

func (n nothing) ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error) {
	return nil, nil
}

func (n nothing) TaskList(context.Context, swarm.TaskListOptions) ([]swarm.Task, error) {
	return nil, nil
}

func (n nothing) TaskLogs(context.Context, string, container.LogsOptions) (io.ReadCloser, error) {
	return nil, none("task")
}

func (n nothing) ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error) {
	return nil, nil
}

func (n nothing) SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error) {
	return nil, nil
}
