package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/swarm"

	"github.com/infrarun/infrarun/builtins/internal/imageref"
)

// What a service of the compose file may say: what becomes of it is in this file and the next. What only concerns building
// images, or the order of starting on one machine, means nothing to a swarm and is left out.
var (
	knownKeys = []string{
		"cap_add", "cap_drop", "command", "configs", "deploy", "dns", "dns_opt", "dns_search", "entrypoint", "environment",
		"extra_hosts", "group_add", "healthcheck", "hostname", "image", "init", "labels", "logging", "networks", "ports", "read_only",
		"restart", "scale", "secrets", "stdin_open", "stop_grace_period", "stop_signal", "sysctls", "tmpfs", "tty", "ulimits", "user",
		"volumes", "working_dir",
	}
	ignoredKeys = []string{"attach", "build", "container_name", "depends_on", "develop", "expose", "profiles", "pull_policy"}
)

// service defines a service.
func (d *definer) service(s types.ServiceConfig) error {
	if err := d.refuse(s); err != nil {
		return err
	}
	deploy := s.Deploy
	if deploy == nil {
		deploy = &types.DeployConfig{}
	}
	at := func(key string, err error) error {
		if below := (*keyError)(nil); errors.As(err, &below) {
			key = below.key
		}
		return fmt.Errorf("%s: service %s: %w", d.project.At("services", s.Name, key), s.Name, err)
	}
	image := s.Image
	if image == "" {
		image = d.project.Name + "-" + s.Name
	}
	image = imageref.Shown(image)
	w := wantedService{key: s.Name, image: image, place: d.project.At("services", s.Name, "image")}
	w.spec.Annotations = swarm.Annotations{Name: d.project.Name + "_" + s.Name, Labels: d.labels(deploy.Labels)}
	w.spec.Labels[imageLabel] = image
	var err error
	if w.spec.Mode, err = mode(s, deploy); err != nil {
		return at("deploy", err)
	}
	if w.spec.EndpointSpec, err = endpoint(s, deploy); err != nil {
		return at("ports", err)
	}
	if w.spec.TaskTemplate, err = d.task(s, deploy); err != nil {
		return at("", err)
	}
	w.spec.UpdateConfig = updateConfig(deploy.UpdateConfig)
	w.spec.RollbackConfig = updateConfig(deploy.RollbackConfig)
	d.def.services = append(d.def.services, w)
	return nil
}

// keyError is an error that is about what stands below a key of a service.
type keyError struct {
	key string
	error
}

// refuse fails if a service says what a service of a swarm cannot have.
func (d *definer) refuse(s types.ServiceConfig) error {
	text, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("service %s: %w", s.Name, err)
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return fmt.Errorf("service %s: %w", s.Name, err)
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		if all[key] == nil || slices.Contains(knownKeys, key) || slices.Contains(ignoredKeys, key) || strings.HasPrefix(key, "x-") {
			continue
		}
		hint := ""
		if strings.HasPrefix(key, "mem") || strings.HasPrefix(key, "cpu") || key == "pids_limit" {
			hint = "; write it below deploy, resources"
		}
		return fmt.Errorf("%s: service %s: a service of a swarm cannot have %s%s", d.project.At("services", s.Name, key), s.Name, key, hint)
	}
	return nil
}

// mode is how many tasks a service has.
func mode(s types.ServiceConfig, deploy *types.DeployConfig) (swarm.ServiceMode, error) {
	switch deploy.Mode {
	case "global":
		return swarm.ServiceMode{Global: &swarm.GlobalService{}}, nil
	case "", "replicated":
		n := uint64(s.GetScale())
		return swarm.ServiceMode{Replicated: &swarm.ReplicatedService{Replicas: &n}}, nil
	}
	return swarm.ServiceMode{}, fmt.Errorf("the mode %q is not supported, only replicated and global are", deploy.Mode)
}

// endpoint is how a service is reached.
func endpoint(s types.ServiceConfig, deploy *types.DeployConfig) (*swarm.EndpointSpec, error) {
	e := &swarm.EndpointSpec{Mode: swarm.ResolutionMode(deploy.EndpointMode)}
	for _, p := range s.Ports {
		if p.HostIP != "" {
			return nil, fmt.Errorf("port %d is published on %s: a swarm publishes on all addresses of its machines; leave the address "+
				"out, and close the port in the packet filter", p.Target, p.HostIP)
		}
		port := swarm.PortConfig{
			Protocol: swarm.PortConfigProtocol(p.Protocol), TargetPort: p.Target, PublishMode: swarm.PortConfigPublishMode(p.Mode),
		}
		if port.Protocol == "" {
			port.Protocol = swarm.PortConfigProtocolTCP
		}
		if port.PublishMode == "" {
			port.PublishMode = swarm.PortConfigPublishModeIngress
		}
		if p.Published != "" {
			n, err := strconv.ParseUint(p.Published, 10, 16)
			if err != nil {
				return nil, fmt.Errorf("published port %q is no port", p.Published)
			}
			port.PublishedPort = uint32(n)
		}
		if e.Mode == swarm.ResolutionModeDNSRR && port.PublishMode != swarm.PortConfigPublishModeHost {
			return nil, fmt.Errorf("port %d: with endpoint_mode dnsrr a port can be published with mode host only", p.Target)
		}
		e.Ports = append(e.Ports, port)
	}
	slices.SortFunc(e.Ports, func(a, b swarm.PortConfig) int {
		return strings.Compare(fmt.Sprintf("%05d%05d%s", a.TargetPort, a.PublishedPort, a.Protocol), fmt.Sprintf("%05d%05d%s", b.TargetPort, b.PublishedPort, b.Protocol))
	})
	return e, nil
}

func updateConfig(u *types.UpdateConfig) *swarm.UpdateConfig {
	if u == nil {
		return nil
	}
	c := &swarm.UpdateConfig{
		Parallelism: 1, Delay: time.Duration(u.Delay), FailureAction: u.FailureAction, Monitor: time.Duration(u.Monitor),
		MaxFailureRatio: u.MaxFailureRatio, Order: u.Order,
	}
	if u.Parallelism != nil {
		c.Parallelism = *u.Parallelism
	}
	return c
}
