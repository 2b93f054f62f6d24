package composefile

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Demand is what a service asks for that lets it out of its container.
type Demand struct {
	What  string // as the operator reads it: "service web runs privileged"
	Place string // file:line
	Need  policy.Need
}

// Demands lists what a project asks for, in the order of its services, and what cannot be allowed at all as an error.
func Demands(p *Project) ([]Demand, error) {
	var all []Demand
	for _, name := range slices.Sorted(maps.Keys(p.Services)) {
		d := &demander{project: p, name: name, service: p.Services[name]}
		if err := d.refused(); err != nil {
			return nil, err
		}
		d.privileges()
		d.namespaces()
		d.devices()
		d.mounts()
		all = append(all, d.found...)
	}
	return append(all, outside(p)...), nil
}

// demander collects the demands of one service.
type demander struct {
	project *Project
	name    string
	service types.ServiceConfig
	found   []Demand
}

// ask notes a demand that stands at a key of the service, in the item that holds part.
func (d *demander) ask(what, name, key, part, text string) {
	d.found = append(d.found, Demand{
		What:  fmt.Sprintf("service %s %s", d.name, text),
		Place: d.project.places.item(part, "services", d.name, key),
		Need:  dockerpolicy.Need(what, name),
	})
}

// refused are the parts of a service that nothing here can vouch for.
func (d *demander) refused() error {
	s := d.service
	for key, has := range map[string]bool{
		"provider":        s.Provider != nil, // starts a program on this machine
		"pre_start":       len(s.PreStart) > 0,
		"models":          len(s.Models) > 0,
		"credential_spec": s.CredentialSpec != nil,
	} {
		if has {
			return fmt.Errorf("%s: service %s: %s is not supported", d.project.places.at("services", d.name, key), d.name, key)
		}
	}
	return nil
}

func (d *demander) privileges() {
	s := d.service
	if s.Privileged {
		d.ask("privileged", d.name, "privileged", "", "runs privileged")
	}
	for key, hooks := range map[string][]types.ServiceHook{"post_start": s.PostStart, "pre_stop": s.PreStop} {
		if slices.ContainsFunc(hooks, func(h types.ServiceHook) bool { return h.Privileged }) {
			d.ask("privileged", d.name, key, "", "has a privileged "+key+" hook")
		}
	}
	for _, c := range s.CapAdd {
		name := strings.TrimPrefix(strings.ToUpper(c), "CAP_")
		d.ask("capability", name, "cap_add", c, "adds the capability "+name)
	}
	for _, o := range s.SecurityOpt {
		if !tightens(o) {
			d.ask("security-opt", strings.Replace(o, ":", "=", 1), "security_opt", o, "sets the security option "+o)
		}
	}
	if s.Runtime != "" {
		d.ask("runtime", s.Runtime, "runtime", "", "runs in the runtime "+s.Runtime)
	}
	if s.UseAPISocket {
		d.ask(dockerpolicy.Socket, "", "use_api_socket", "", "uses the engine's socket")
	}
}

// tightens reports whether a security option only takes rights away.
func tightens(option string) bool {
	return slices.Contains([]string{"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}, option)
}

func (d *demander) namespaces() {
	s := d.service
	for _, n := range []struct{ key, value string }{
		{"network_mode", s.NetworkMode}, {"network_mode", s.Net}, {"pid", s.Pid}, {"ipc", s.Ipc}, {"uts", s.Uts},
		{"cgroup", s.Cgroup}, {"userns_mode", s.UserNSMode},
	} {
		space := strings.TrimSuffix(strings.TrimSuffix(n.key, "_mode"), "ns")
		if n.key == "userns_mode" {
			space = "userns"
		}
		if n.value == "host" {
			d.ask("host-"+space, "", n.key, "", "shares the host's "+space)
		}
		if other, ok := strings.CutPrefix(n.value, "container:"); ok {
			d.ask("container", other, n.key, "", "joins the container "+other)
		}
	}
	for _, v := range s.VolumesFrom {
		if other, ok := strings.CutPrefix(v, "container:"); ok {
			other, _, _ = strings.Cut(other, ":")
			d.ask("container", other, "volumes_from", v, "mounts the volumes of the container "+other)
		}
	}
	for _, l := range s.ExternalLinks {
		other, _, _ := strings.Cut(l, ":")
		d.ask("container", other, "external_links", l, "is linked to the container "+other)
	}
}

func (d *demander) devices() {
	s := d.service
	for _, dev := range s.Devices {
		d.ask("device", dev.Source, "devices", dev.Source, "is given the device "+dev.Source)
	}
	for _, rule := range s.DeviceCgroupRules {
		d.ask("device", "rule "+rule, "device_cgroup_rules", rule, "is given the devices "+rule)
	}
	gpus := len(s.Gpus) > 0
	if s.Deploy != nil && s.Deploy.Resources.Reservations != nil {
		gpus = gpus || len(s.Deploy.Resources.Reservations.Devices) > 0
	}
	if gpus {
		key := "gpus"
		if len(s.Gpus) == 0 {
			key = "deploy"
		}
		d.ask("device", "gpu", key, "", "is given devices by a driver")
	}
}

func (d *demander) mounts() {
	for _, v := range d.service.Volumes {
		if v.Type == types.VolumeTypeBind || v.Type == types.VolumeTypeNamedPipe {
			d.mount("volumes", v.Source, d.written(v.Source))
		}
	}
	for _, c := range d.service.Configs {
		d.mount("configs", d.project.Configs[c.Source].File, c.Source)
	}
	for _, c := range d.service.Secrets {
		d.mount("secrets", d.project.Secrets[c.Source].File, c.Source)
	}
}

// mount notes that a path of the host is mounted, which may hold the engine's socket.
func (d *demander) mount(key, path, part string) {
	if path == "" {
		return
	}
	path = filepath.Clean(path)
	if engine.HoldsSocket(path) {
		d.ask(dockerpolicy.Socket, "", key, part, "mounts "+path+", where the engine's socket is")
	}
	d.ask("host-path", path, key, part, "mounts "+path)
}

// written is the part of a path that is likely to stand in the file as it is: relative paths have been resolved.
func (d *demander) written(path string) string {
	if rel, err := filepath.Rel(d.project.WorkingDir, path); err == nil && filepath.IsLocal(rel) && rel != "." {
		return rel
	}
	return path
}

// outside are the demands of networks, volumes, configs and secrets: what others made, and what is the host's in disguise.
func outside(p *Project) []Demand {
	var all []Demand
	add := func(section, name, what, target, text string) {
		all = append(all, Demand{
			What: text, Place: p.places.at(section, name), Need: dockerpolicy.Need(what, target),
		})
	}
	for _, name := range slices.Sorted(maps.Keys(p.Volumes)) {
		v := p.Volumes[name]
		if foreign(p, name, v.Name, bool(v.External)) {
			add("volumes", name, "volume", v.Name, fmt.Sprintf("volume %s is %s, which is not of this project", name, v.Name))
		}
		if v.Driver != "" && v.Driver != "local" {
			add("volumes", name, "volume-driver", v.Driver, fmt.Sprintf("volume %s is of the driver %s", name, v.Driver))
		}
		if device := v.DriverOpts["device"]; device != "" {
			what, target := "host-path", device
			if !filepath.IsAbs(device) {
				what, target = "volume-driver", "local"
			}
			add("volumes", name, what, target, fmt.Sprintf("volume %s is %s", name, device))
			if what == "host-path" && engine.HoldsSocket(device) {
				add("volumes", name, dockerpolicy.Socket, "", fmt.Sprintf("volume %s is %s, where the engine's socket is", name, device))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Networks)) {
		n := p.Networks[name]
		switch {
		case n.Name == "host" || n.Driver == "host":
			add("networks", name, "host-network", "", fmt.Sprintf("network %s is the host's", name))
		case foreign(p, name, n.Name, bool(n.External)):
			add("networks", name, "network", n.Name, fmt.Sprintf("network %s is %s, which is not of this project", name, n.Name))
		}
		if n.Driver != "host" && !slices.Contains(ownDrivers, n.Driver) {
			add("networks", name, "network-driver", n.Driver, fmt.Sprintf("network %s is of the driver %s", name, n.Driver))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Configs)) {
		if c := p.Configs[name]; c.External {
			add("configs", name, "config", c.Name, fmt.Sprintf("config %s is %s, which is not of this project", name, c.Name))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Secrets)) {
		if s := p.Secrets[name]; s.External {
			add("secrets", name, "secret", s.Name, fmt.Sprintf("secret %s is %s, which is not of this project", name, s.Name))
		}
	}
	return all
}

// ownDrivers are those of networks that lead to nothing but the containers in them.
var ownDrivers = []string{"", "default", "bridge", "overlay"}

// foreign reports whether a volume or network is, or may be, one that something else made.
func foreign(p *Project, key, name string, external bool) bool {
	return external || name != p.Name+"_"+key
}

// Permit fails unless everything that a project asks for is allowed. The error says where it is asked for.
func Permit(p *Project, check func(...policy.Need) error) error {
	all, err := Demands(p)
	if err != nil {
		return err
	}
	for _, d := range all {
		if err := check(d.Need); err != nil {
			return fmt.Errorf("%s: %s: %w", d.Place, d.What, err)
		}
	}
	return nil
}
