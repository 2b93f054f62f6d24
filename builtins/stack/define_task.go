package stack

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/swarm"
)

// task defines what each task of a service is made of.
func (d *definer) task(s types.ServiceConfig, deploy *types.DeployConfig) (swarm.TaskSpec, error) {
	c, err := d.container(s)
	if err != nil {
		return swarm.TaskSpec{}, err
	}
	t := swarm.TaskSpec{ContainerSpec: c, Placement: placement(deploy.Placement)}
	if t.RestartPolicy, err = restartPolicy(s.Restart, deploy.RestartPolicy); err != nil {
		return t, &keyError{"restart", err}
	}
	if t.Resources, err = resources(deploy.Resources); err != nil {
		return t, &keyError{"deploy", err}
	}
	if s.Logging != nil {
		t.LogDriver = &swarm.Driver{Name: s.Logging.Driver, Options: s.Logging.Options}
	}
	for _, key := range slices.Sorted(maps.Keys(s.Networks)) {
		n := swarm.NetworkAttachmentConfig{Target: d.project.Networks[key].Name}
		if own := s.Networks[key]; own != nil {
			if own.Ipv4Address != "" || own.Ipv6Address != "" || own.MacAddress != "" || len(own.LinkLocalIPs) > 0 {
				return t, &keyError{"networks", fmt.Errorf("network %s: a task of a swarm cannot have an address of its own", key)}
			}
			if own.GatewayPriority != 0 || own.InterfaceName != "" || own.Priority != 0 || own.UseServiceNameAlias != nil {
				return t, &keyError{"networks", fmt.Errorf("network %s: of a task of a swarm only aliases and driver_opts can be said", key)}
			}
			n.Aliases, n.DriverOpts = slices.Clone(own.Aliases), own.DriverOpts
		}
		n.Aliases = append(n.Aliases, s.Name)
		t.Networks = append(t.Networks, n)
	}
	return t, nil
}

// container defines the container of a task. Its image is resolved later.
func (d *definer) container(s types.ServiceConfig) (*swarm.ContainerSpec, error) {
	c := &swarm.ContainerSpec{
		Labels: d.labels(s.Labels), Command: s.Entrypoint, Args: s.Command, Hostname: s.Hostname, Dir: s.WorkingDir, User: s.User,
		Groups: s.GroupAdd, Init: s.Init, StopSignal: s.StopSignal, TTY: s.Tty, OpenStdin: s.StdinOpen, ReadOnly: s.ReadOnly,
		Sysctls: s.Sysctls, CapabilityAdd: capabilities(s.CapAdd), CapabilityDrop: capabilities(s.CapDrop),
		StopGracePeriod: duration(s.StopGracePeriod), Healthcheck: healthcheck(s.HealthCheck),
	}
	for _, name := range slices.Sorted(maps.Keys(s.Environment)) {
		if value := s.Environment[name]; value != nil {
			c.Env = append(c.Env, name+"="+*value)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.ExtraHosts)) {
		for _, ip := range s.ExtraHosts[name] {
			c.Hosts = append(c.Hosts, ip+" "+name)
		}
	}
	if len(s.DNS)+len(s.DNSSearch)+len(s.DNSOpts) > 0 {
		c.DNSConfig = &swarm.DNSConfig{Nameservers: s.DNS, Search: s.DNSSearch, Options: s.DNSOpts}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Ulimits)) {
		u := s.Ulimits[name]
		limit := &container.Ulimit{Name: name, Soft: int64(u.Soft), Hard: int64(u.Hard)}
		if u.Single != 0 {
			limit.Soft, limit.Hard = int64(u.Single), int64(u.Single)
		}
		c.Ulimits = append(c.Ulimits, limit)
	}
	var err error
	if c.Mounts, err = d.mounts(s); err != nil {
		return nil, err
	}
	d.given(c, s)
	return c, nil
}

// capabilities writes rights of the kernel as the swarm keeps them.
func capabilities(list []string) []string {
	var all []string
	for _, c := range list {
		c = strings.ToUpper(c)
		if c != "ALL" && !strings.HasPrefix(c, "CAP_") {
			c = "CAP_" + c
		}
		all = append(all, c)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func duration(d *types.Duration) *time.Duration {
	if d == nil {
		return nil
	}
	v := time.Duration(*d)
	return &v
}

func healthcheck(h *types.HealthCheckConfig) *container.HealthConfig {
	if h == nil {
		return nil
	}
	if h.Disable {
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	c := &container.HealthConfig{Test: h.Test}
	for _, t := range []struct {
		from *types.Duration
		to   *time.Duration
	}{{h.Interval, &c.Interval}, {h.Timeout, &c.Timeout}, {h.StartPeriod, &c.StartPeriod}, {h.StartInterval, &c.StartInterval}} {
		if t.from != nil {
			*t.to = time.Duration(*t.from)
		}
	}
	if h.Retries != nil {
		c.Retries = int(*h.Retries)
	}
	return c
}

// restartPolicy is when a task that has ended is replaced.
func restartPolicy(restart string, p *types.RestartPolicy) (*swarm.RestartPolicy, error) {
	if p != nil {
		return &swarm.RestartPolicy{
			Condition: swarm.RestartPolicyCondition(p.Condition), Delay: duration(p.Delay), MaxAttempts: p.MaxAttempts, Window: duration(p.Window),
		}, nil
	}
	name, attempts, counted := strings.Cut(restart, ":")
	switch name {
	case "", "always", "unless-stopped":
		return nil, nil // as a swarm does it by itself
	case "no":
		return &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionNone}, nil
	case "on-failure":
		policy := &swarm.RestartPolicy{Condition: swarm.RestartPolicyConditionOnFailure}
		if counted {
			n, err := strconv.ParseUint(attempts, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("restart %q: %q is no number", restart, attempts)
			}
			policy.MaxAttempts = &n
		}
		return policy, nil
	}
	return nil, fmt.Errorf("restart %q is not known", restart)
}

func resources(r types.Resources) (*swarm.ResourceRequirements, error) {
	if r.Limits == nil && r.Reservations == nil {
		return nil, nil
	}
	all := &swarm.ResourceRequirements{}
	if l := r.Limits; l != nil {
		all.Limits = &swarm.Limit{NanoCPUs: nano(l.NanoCPUs), MemoryBytes: int64(l.MemoryBytes), Pids: l.Pids}
	}
	if r := r.Reservations; r != nil {
		if len(r.Devices) > 0 || len(r.GenericResources) > 0 {
			return nil, fmt.Errorf("devices and generic resources are not supported")
		}
		all.Reservations = &swarm.Resources{NanoCPUs: nano(r.NanoCPUs), MemoryBytes: int64(r.MemoryBytes)}
	}
	return all, nil
}

// nano is a number of processors in billionths, without what a float adds: 0.1 is 100000000.
func nano(cpus types.NanoCPUs) int64 { return int64(float64(cpus)*1e6+0.5) * 1e3 }

func placement(p types.Placement) *swarm.Placement {
	if len(p.Constraints)+len(p.Preferences) == 0 && p.MaxReplicas == 0 {
		return nil
	}
	all := &swarm.Placement{Constraints: p.Constraints, MaxReplicas: p.MaxReplicas}
	for _, preference := range p.Preferences {
		all.Preferences = append(all.Preferences, swarm.PlacementPreference{Spread: &swarm.SpreadOver{SpreadDescriptor: preference.Spread}})
	}
	return all
}
