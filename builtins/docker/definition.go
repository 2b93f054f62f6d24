package docker

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/go-connections/nat"
)

// definition is how docker.run defines a container, in one way of writing it down: lists that have no order are sorted.
type definition struct {
	Image      string
	Command    []string
	Entrypoint []string
	Env        []string // KEY=value
	Ports      []string // as given
	Volumes    []mount.Mount
	Tmpfs      []string
	Labels     map[string]string
	Network    string
	Aliases    []string
	Restart    container.RestartPolicy
	User       string
	Workdir    string
	Hostname   string
	ExtraHosts []string
	ReadOnly   bool
	Init       bool
	Privileged bool
	CapAdd     []string
	CapDrop    []string
	Memory     int64
	CPUs       float64
	Stop       int // seconds
	Health     *healthcheck
}

// aspects are hashes of the parts of a definition, by the name of the part: what differs can be named, and nothing of a
// secret is in them.
type aspects map[string]string

// aspectDigits is how many digits of a hash are kept: enough to tell a change, too few to find what was hashed.
const aspectDigits = 12

// aspects hashes a definition; image is the id of its image, "" if that is not known.
func (d definition) aspects(image string) aspects {
	all := aspects{}
	for name, part := range map[string]any{
		"image": image, "command": [][]string{d.Command, d.Entrypoint}, "environment": d.Env, "ports": d.Ports,
		"mounts": []any{d.Volumes, d.Tmpfs}, "labels": d.Labels, "network": []any{d.Network, d.Aliases, d.Hostname, d.ExtraHosts},
		"restart policy": d.Restart, "user": d.User, "working directory": d.Workdir,
		"rights": []any{d.ReadOnly, d.Init, d.Privileged, d.CapAdd, d.CapDrop}, "limits": []any{d.Memory, d.CPUs, d.Stop},
		"healthcheck": d.Health,
	} {
		text, err := json.Marshal(part)
		if err != nil {
			panic(err) // a definition is plain data
		}
		sum := sha256.Sum256(text)
		all[name] = hex.EncodeToString(sum[:])[:aspectDigits]
	}
	return all
}

// String writes the aspects as a label has them.
func (a aspects) String() string {
	parts := make([]string, 0, len(a))
	for _, name := range sortedKeys(a) {
		parts = append(parts, name+"="+a[name])
	}
	return strings.Join(parts, ",")
}

// parseAspects reads the label; nil if it is none.
func parseAspects(label string) aspects {
	a := aspects{}
	for part := range strings.SplitSeq(label, ",") {
		name, sum, found := strings.Cut(part, "=")
		if !found {
			return nil
		}
		a[name] = sum
	}
	return a
}

// differences names the aspects in which b is not as a.
func (a aspects) differences(b aspects) []string {
	var names []string
	for _, name := range sortedKeys(a) {
		if a[name] != b[name] {
			names = append(names, name)
		}
	}
	return names
}

// published are the ports of a definition as the engine takes them.
func (d definition) published() (nat.PortSet, nat.PortMap, error) {
	exposed, bound, err := nat.ParsePortSpecs(d.Ports)
	if err != nil {
		return nil, nil, fmt.Errorf("ports: %w; a port is \"8080:80\", \"127.0.0.1:8080:80\" or \"53:53/udp\"", err)
	}
	return exposed, bound, nil
}

// tcpPorts are the TCP ports of this machine that the container takes.
func (d definition) tcpPorts() []int {
	_, bound, err := d.published()
	if err != nil {
		return nil
	}
	return hostPorts(bound)
}

// hostPorts are the TCP ports of this machine in a map of the engine's.
func hostPorts(bound nat.PortMap) []int {
	var all []int
	for port, to := range bound {
		for _, b := range to {
			if n, err := nat.ParsePort(b.HostPort); port.Proto() == "tcp" && err == nil && n != 0 && !slices.Contains(all, n) {
				all = append(all, n)
			}
		}
	}
	slices.Sort(all)
	return all
}

// config is the definition as the engine takes it.
func (d definition) config() (*container.Config, *container.HostConfig, *network.NetworkingConfig, error) {
	exposed, bound, err := d.published()
	if err != nil {
		return nil, nil, nil, err
	}
	config := &container.Config{
		Image: d.Image, Cmd: d.Command, Entrypoint: d.Entrypoint, Env: d.Env, Labels: d.Labels, ExposedPorts: exposed,
		User: d.User, WorkingDir: d.Workdir, Hostname: d.Hostname, StopTimeout: &d.Stop,
	}
	if d.Health != nil {
		config.Healthcheck = &container.HealthConfig{
			Test: d.Health.command(), Interval: d.Health.Interval, Timeout: d.Health.Timeout,
			StartPeriod: d.Health.StartPeriod, Retries: d.Health.Retries,
		}
	}
	host := &container.HostConfig{
		PortBindings: bound, Mounts: d.Volumes, NetworkMode: container.NetworkMode(d.Network), RestartPolicy: d.Restart,
		ExtraHosts: d.ExtraHosts, ReadonlyRootfs: d.ReadOnly, Privileged: d.Privileged, CapAdd: d.CapAdd, CapDrop: d.CapDrop,
		Resources: container.Resources{Memory: d.Memory, NanoCPUs: int64(d.CPUs * float64(time.Second))},
	}
	if d.Init {
		host.Init = &d.Init
	}
	if len(d.Tmpfs) > 0 {
		host.Tmpfs = map[string]string{}
		for _, path := range d.Tmpfs {
			host.Tmpfs[path] = ""
		}
	}
	var networks *network.NetworkingConfig
	if len(d.Aliases) > 0 {
		networks = &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{d.Network: {Aliases: d.Aliases}}}
	}
	return config, host, networks, nil
}
