package compose

import (
	"maps"
	"strings"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"

	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// recipeOf is what the engine needs to make a container.
type recipeOf struct {
	config  *container.Config
	host    *container.HostConfig
	network *network.NetworkingConfig
}

// again turns what the engine said of a container into what makes an equal one. Now has the ids of containers that were
// made again, by their old ones.
func again(was container.InspectResponse, now map[string]string) recipeOf {
	config := *was.Config
	if config.Hostname == imageref.Short(was.ID) {
		config.Hostname = "" // it was made of the id
	}
	config.Labels = map[string]string{}
	maps.Copy(config.Labels, was.Config.Labels)
	config.Labels[engine.AgainLabel] = engine.Again(was)
	if was.HostConfig.NetworkMode.IsContainer() {
		// The engine tells the other's name, and the ports of the image, and takes neither.
		config.Hostname, config.Domainname, config.ExposedPorts = "", "", nil
	}
	if was.HostConfig.UTSMode.IsHost() {
		config.Hostname, config.Domainname = "", ""
	}
	host := *was.HostConfig
	host.NetworkMode = container.NetworkMode(renamed(string(host.NetworkMode), now))
	host.PidMode = container.PidMode(renamed(string(host.PidMode), now))
	host.IpcMode = container.IpcMode(renamed(string(host.IpcMode), now))
	host.VolumesFrom = nil
	for _, from := range was.HostConfig.VolumesFrom {
		id, mode, _ := strings.Cut(from, ":")
		if other := now[id]; other != "" {
			id = other
		}
		host.VolumesFrom = append(host.VolumesFrom, strings.TrimSuffix(id+":"+mode, ":"))
	}
	host.Mounts = unnamedVolumes(was)
	for _, m := range was.HostConfig.Mounts {
		if m.Type != mount.TypeVolume || m.Source != "" {
			host.Mounts = append(host.Mounts, m)
		}
	}
	c := recipeOf{config: &config, host: &host, network: &network.NetworkingConfig{}}
	// Engines before 25 take one network here; joinNetworks sees to the others.
	if e := endpoint(was, string(host.NetworkMode)); e != nil {
		c.network.EndpointsConfig = map[string]*network.EndpointSettings{string(host.NetworkMode): e}
	}
	return c
}

// renamed replaces the id in container:<id>.
func renamed(mode string, now map[string]string) string {
	if id, ok := strings.CutPrefix(mode, "container:"); ok && now[id] != "" {
		return "container:" + now[id]
	}
	return mode
}

// unnamedVolumes are the volumes that the engine made for a container. An equal container would get new, empty ones.
func unnamedVolumes(was container.InspectResponse) []mount.Mount {
	named := map[string]bool{}
	for _, m := range was.HostConfig.Mounts {
		named[m.Target] = m.Source != ""
	}
	for _, bind := range was.HostConfig.Binds {
		if parts := strings.Split(bind, ":"); len(parts) > 1 {
			named[parts[1]] = true
		}
	}
	var list []mount.Mount
	for _, m := range was.Mounts {
		if m.Type == mount.TypeVolume && m.Name != "" && !named[m.Destination] && len(was.HostConfig.VolumesFrom) == 0 {
			list = append(list, mount.Mount{Type: mount.TypeVolume, Source: m.Name, Target: m.Destination, ReadOnly: !m.RW})
		}
	}
	return list
}

// endpoint is how a container was in a network, nil if it was not.
func endpoint(was container.InspectResponse, name string) *network.EndpointSettings {
	if was.NetworkSettings == nil {
		return nil
	}
	e := was.NetworkSettings.Networks[name]
	if e == nil {
		return nil
	}
	is := &network.EndpointSettings{IPAMConfig: e.IPAMConfig, Links: e.Links, DriverOpts: e.DriverOpts, GwPriority: e.GwPriority}
	for _, alias := range e.Aliases {
		if alias != imageref.Short(was.ID) { // the engine adds that of the new one
			is.Aliases = append(is.Aliases, alias)
		}
	}
	return is
}
