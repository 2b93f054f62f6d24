// Package engine is the way to the Docker engine of this machine, for the families of builtins that use it.
//
//	e, err := engine.Open(ctx)      // may only look: for probes, previews and builtins that read
//	defer e.Close()
//	c, err := e.Container(ctx, "console")
//
//	x, err := engine.Write(ctx, w)  // may change: only for a run's writer
//	defer x.Close()
//	err = x.Tag(ctx, id, "app:1.4")
//
// The engine is found as the docker command finds it: DOCKER_HOST, DOCKER_CONTEXT, the current context, the usual
// socket. The version of its API is negotiated, down to 1.41, that of engine 20.10. What is not there is told by nil, not
// by an error; an error says what the engine said.
//
// A [Client] has no method that changes anything, except that [Client.Exec] runs in a container what a recipe declares to
// change nothing; what it embeds, [Reading], is the reading part of the API. A [Writer] has the whole API, and is to be
// had for a *runtime.Writer only, which a preview does not have.
//
// # Keeping images
//
// Whoever changes what runs must be able to go back to it, while others clean up: `docker system prune --all` removes
// every container that does not run, and every image that is of no container then. Tried out: neither a tag nor a
// container that was created, or has stopped, keeps an image from it; only a container that runs, or is paused, does. So
// an image that a running container uses is safe until that container is stopped, and whoever stops it, or takes a tag
// from an image that does not run, first has [Client.KeepImage] save the image to the run's directory. [Writer.Hold]
// tags it as well, which is enough for the milder `docker image prune`, and spares the undo ([Writer.Restore]) from
// loading what was saved. An image is saved by its id and has it again when it is loaded, also where the images are
// containerd's, whose ids are those of manifests and indexes. What a tag holds is let go of by [Writer.Release]; see also [KeptBy].
//
//	engine.go           the two clients
//	host.go nothing.go  where the engine is, and what a preview sees if there is none yet
//	read.go             looking: containers, images, networks, volumes
//	keep.go writer_keep.go   keeping images
//	archive.go          whether the engine has saved an image whole
//	refs.go writer_refs.go   keeping to which images names lead
//	writer.go           changing: tags
//	again.go            containers that an undo has made again
//	predict.go predict_state.go  what a preview predicts of images, and of whether containers run
//	drift.go            what differs from what a change has left
//	exec.go             running a command in a container
//	logs.go             what containers have printed
//	stream.go           what the engine reports while it builds, pulls, pushes or loads
//	errors.go           what the engine said
//
// The package knows no builtin.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/api/types/swarm"
	"github.com/docker/docker/api/types/system"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/infrarun/infrarun/runtime"
)

// Reading is the part of the engine's API that changes nothing. Errors of its methods are the library's: see [Explain].
type Reading interface {
	ClientVersion() string
	DaemonHost() string
	Ping(context.Context) (types.Ping, error)
	Info(context.Context) (system.Info, error)
	DiskUsage(context.Context, types.DiskUsageOptions) (types.DiskUsage, error)
	Events(context.Context, events.ListOptions) (<-chan events.Message, <-chan error)
	ContainerList(context.Context, container.ListOptions) ([]container.Summary, error)
	ContainerInspect(context.Context, string) (container.InspectResponse, error)
	ContainerLogs(context.Context, string, container.LogsOptions) (io.ReadCloser, error)
	ContainerStats(context.Context, string, bool) (container.StatsResponseReader, error)
	CopyFromContainer(ctx context.Context, id, path string) (io.ReadCloser, container.PathStat, error)
	ImageList(context.Context, image.ListOptions) ([]image.Summary, error)
	ImageInspect(context.Context, string, ...client.ImageInspectOption) (image.InspectResponse, error)
	ImageSave(context.Context, []string, ...client.ImageSaveOption) (io.ReadCloser, error)
	DistributionInspect(ctx context.Context, image, auth string) (registry.DistributionInspect, error)
	NetworkList(context.Context, network.ListOptions) ([]network.Summary, error)
	NetworkInspect(context.Context, string, network.InspectOptions) (network.Inspect, error)
	VolumeList(context.Context, volume.ListOptions) (volume.ListResponse, error)
	VolumeInspect(context.Context, string) (volume.Volume, error)
	NodeList(context.Context, swarm.NodeListOptions) ([]swarm.Node, error)
	ServiceList(context.Context, swarm.ServiceListOptions) ([]swarm.Service, error)
	TaskList(context.Context, swarm.TaskListOptions) ([]swarm.Task, error)
	TaskLogs(context.Context, string, container.LogsOptions) (io.ReadCloser, error)
	ConfigList(context.Context, swarm.ConfigListOptions) ([]swarm.Config, error)
	SecretList(context.Context, swarm.SecretListOptions) ([]swarm.Secret, error)
}

// Client is a connection to the engine that only looks. It is safe for concurrent use.
type Client struct {
	Reading
	api     *client.Client // nil if there is none
	missing bool           // see Look
}

// Platform is what an image is made for; nil for that of the engine.
type Platform = ocispec.Platform

// Open connects to the engine. That it does not answer is an error that says where it was looked for.
func Open(ctx context.Context) (*Client, error) { return open(ctx, patience) }

// open is Open for an engine that has so long to answer.
func open(ctx context.Context, limit time.Duration) (*Client, error) {
	host, err := find(realEnviron)
	if err != nil {
		return nil, err
	}
	options := []client.Opt{client.WithHost(host.address), client.WithAPIVersionNegotiation(), client.WithUserAgent("infrarun")}
	if host.tls {
		// Before the host, so that it is known that it speaks TLS.
		options = append([]client.Opt{withTLS(host)}, options...)
	}
	api, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("prepare to speak to the Docker engine at %s: %w", host.address, err)
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	ping, err := api.Ping(asking)
	if err != nil {
		err = unreachable(ctx, host.address, err)
	} else if !versions.GreaterThanOrEqualTo(ping.APIVersion, oldest) {
		err = fmt.Errorf("the Docker engine at %s speaks version %q of its API, and %s is needed, which Docker 20.10 and newer ones speak; "+
			"update it", host.address, ping.APIVersion, oldest)
	}
	if err != nil {
		api.Close()
		return nil, err
	}
	api.NegotiateAPIVersionPing(ping)
	return &Client{Reading: api, api: api}, nil
}

// oldest is the oldest version of the API that is spoken.
const oldest = "1.41"

const (
	// patience is how long an engine has to answer, or to be there again.
	patience = 30 * time.Second
	// impatience is how long one has to answer that was waited for in vain: it may take what it is asked, and say nothing.
	impatience = 2 * time.Second
)

// Close ends the connection.
func (c *Client) Close() {
	if c.api != nil {
		_ = c.api.Close()
	}
}

// Writer is a connection to the engine that can change what it has.
type Writer struct {
	*Client
	// API is the engine's whole API. Errors of its methods are the library's: see [Explain].
	API *client.Client
	// Run is the writer that it was given for.
	Run *runtime.Writer
}

// Write connects to the engine, in exchange for a run's writer. An engine that does not answer may be starting anew, and
// undoing needs it: it is waited for, but in vain only once in a run.
func Write(ctx context.Context, w *runtime.Writer) (*Writer, error) {
	w.Require()
	inVain := runtime.Overlay(w.World(), "engine.gone", func() *atomic.Bool { return new(atomic.Bool) })
	limit := patience
	if inVain.Load() {
		limit = impatience
	}
	deadline := time.Now().Add(limit)
	for {
		c, err := open(ctx, limit)
		if err == nil {
			inVain.Store(false)
			return &Writer{Client: c, API: c.api, Run: w}, nil
		}
		var gone *UnavailableError
		if !errors.As(err, &gone) {
			return nil, err
		}
		if inVain.Load() || time.Now().After(deadline) {
			inVain.Store(true)
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(reconnect):
		}
	}
}

// reconnect is how often it is looked whether an engine is there again.
const reconnect = 200 * time.Millisecond
