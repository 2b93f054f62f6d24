package docker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// recreate makes a container as it is described.
func (x *control) recreate(ctx context.Context, kept keptContainer, was *container.InspectResponse) (*container.InspectResponse, error) {
	config, host := was.Config, was.HostConfig
	// Its image's name may lead elsewhere meanwhile.
	if img, err := x.Image(ctx, config.Image); err != nil || img == nil || img.ID != was.Image {
		config.Image = was.Image
	}
	if config.Labels == nil {
		config.Labels = map[string]string{}
	}
	config.Labels[engine.AgainLabel] = engine.Again(*was)
	if host.NetworkMode.IsContainer() || host.UTSMode.IsHost() {
		config.Hostname, config.Domainname = "", "" // it had those of another; the engine takes none of its own then
	}
	nameVolumes(was)
	first, others := endpoints(was)
	made, err := x.API.ContainerCreate(ctx, config, host, first, nil, kept.Name)
	if err != nil {
		return nil, fmt.Errorf("make container %s again: %w", kept.Name, engine.Explain(ctx, err))
	}
	for _, name := range sortedKeys(others) {
		if err := x.API.NetworkConnect(ctx, name, made.ID, others[name]); err != nil {
			return nil, fmt.Errorf("connect container %s to network %s again: %w", kept.Name, name, engine.Explain(ctx, err))
		}
	}
	x.Run.Warn("container %s (%s) was removed by somebody; an equal one is in its place, %s, from the same image and volumes",
		kept.Name, imageref.Short(kept.ID), imageref.Short(made.ID))
	return x.Container(ctx, made.ID)
}

// nameVolumes has the description name the volumes that the container had without naming them, so that it gets the same.
func nameVolumes(was *container.InspectResponse) {
	named := func(target string) bool {
		if slices.ContainsFunc(was.HostConfig.Binds, func(b string) bool {
			parts := strings.Split(b, ":")
			return len(parts) > 1 && parts[1] == target
		}) {
			return true
		}
		return slices.ContainsFunc(was.HostConfig.Mounts, func(m mount.Mount) bool { return m.Target == target && m.Source != "" })
	}
	for _, m := range was.Mounts {
		if m.Type != mount.TypeVolume || named(m.Destination) {
			continue
		}
		i := slices.IndexFunc(was.HostConfig.Mounts, func(o mount.Mount) bool { return o.Target == m.Destination })
		if i >= 0 {
			was.HostConfig.Mounts[i].Source = m.Name
			continue
		}
		bind := m.Name + ":" + m.Destination
		if !m.RW {
			bind += ":ro"
		}
		was.HostConfig.Binds = append(was.HostConfig.Binds, bind)
	}
}

// endpoints are the networks of a description: the one that it is made in, and those that it is connected to then, since
// older engines take only one.
func endpoints(was *container.InspectResponse) (*network.NetworkingConfig, map[string]*network.EndpointSettings) {
	if was.NetworkSettings == nil {
		return nil, nil
	}
	first := string(was.HostConfig.NetworkMode)
	if first == "default" {
		first = "bridge"
	}
	config := &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{}}
	others := map[string]*network.EndpointSettings{}
	for name, e := range was.NetworkSettings.Networks {
		own := &network.EndpointSettings{IPAMConfig: e.IPAMConfig, Links: e.Links, DriverOpts: e.DriverOpts}
		for _, alias := range e.Aliases {
			if !strings.HasPrefix(was.ID, alias) { // the engine adds its id by itself
				own.Aliases = append(own.Aliases, alias)
			}
		}
		if name == first || e.NetworkID == first {
			config.EndpointsConfig[name] = own
		} else {
			others[name] = own
		}
	}
	return config, others
}

// networkAgain makes a network that is gone again.
func (x *control) networkAgain(ctx context.Context, was *network.Inspect) error {
	now, err := x.Network(ctx, was.Name)
	if err != nil || now != nil {
		return err
	}
	_, err = x.API.NetworkCreate(ctx, was.Name, network.CreateOptions{
		Driver: was.Driver, EnableIPv6: &was.EnableIPv6, IPAM: &was.IPAM, Internal: was.Internal, Attachable: was.Attachable,
		Options: was.Options, Labels: was.Labels,
	})
	if err != nil {
		return fmt.Errorf("make network %s again: %w", was.Name, engine.Explain(ctx, err))
	}
	return nil
}

// reconnect makes the networks of a container that has stopped again, if somebody has removed them: the engine does not
// keep them for it.
func (x *control) reconnect(ctx context.Context, kept keptContainer, c *container.InspectResponse) error {
	if kept.Record == nil {
		return nil
	}
	was, err := x.recall(kept)
	if err != nil {
		return err
	}
	first, others := endpoints(was.Container)
	for _, n := range was.Networks {
		now, err := x.Network(ctx, n.Name)
		if err != nil {
			return err
		}
		if now != nil && now.ID == n.ID {
			continue
		}
		if err := x.networkAgain(ctx, &n); err != nil {
			return err
		}
		settings := others[n.Name]
		if settings == nil && first != nil {
			settings = first.EndpointsConfig[n.Name]
		}
		_ = x.API.NetworkDisconnect(ctx, n.ID, c.ID, true) // the one that is gone; connecting tells if that did not help
		_ = x.API.NetworkDisconnect(ctx, n.Name, c.ID, true)
		if err := x.API.NetworkConnect(ctx, n.Name, c.ID, settings); err != nil {
			return fmt.Errorf("connect container %s to network %s again: %w", kept.Name, n.Name, engine.Explain(ctx, err))
		}
	}
	return nil
}

// again makes an equal container in place of one that somebody has removed. Whoever carried out this undo before may have
// made it already.
func (x *control) again(ctx context.Context, kept keptContainer) (*container.InspectResponse, error) {
	now, err := x.Container(ctx, kept.Name)
	if err != nil {
		return nil, err
	}
	if now != nil && engine.Is(*now, kept.ID) {
		return now, nil
	}
	if kept.Record == nil {
		return nil, fmt.Errorf("bring back container %s (%s): somebody has removed it, and nothing was kept of it", kept.Name, imageref.Short(kept.ID))
	}
	if now != nil {
		return nil, fmt.Errorf("bring back container %s: there is another one of that name, %s, which this run has not made; "+
			"remove or rename it", kept.Name, imageref.Short(now.ID))
	}
	was, err := x.recall(kept)
	if err != nil {
		return nil, err
	}
	if kept.Image != nil {
		if err := x.Restore(ctx, *kept.Image); err != nil {
			return nil, err
		}
	}
	for _, n := range was.Networks {
		if err := x.networkAgain(ctx, &n); err != nil {
			return nil, err
		}
	}
	return x.recreate(ctx, kept, was.Container)
}

// recall reads all about a container as it was.
func (x *control) recall(kept keptContainer) (record, error) {
	var was record
	content, err := x.Run.Open(*kept.Record)
	if err != nil {
		return was, err
	}
	text, err := io.ReadAll(content)
	if err = errors.Join(err, content.Close()); err == nil {
		err = json.Unmarshal(text, &was)
	}
	if err == nil && was.Container == nil {
		err = errors.New("it is empty")
	}
	if err != nil {
		err = fmt.Errorf("read the description of container %s: %w", kept.Name, err)
	}
	return was, err
}
