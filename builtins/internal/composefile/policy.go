package composefile

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
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
	if err := refused(p); err != nil {
		return nil, err
	}
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
	for _, v := range s.Volumes {
		if !slices.Contains(mountTypes, v.Type) {
			return fmt.Errorf("%s: service %s: a mount of type %s is not supported; the types are %s",
				d.project.places.item(v.Target, "services", d.name, "volumes"), d.name, v.Type, strings.Join(mountTypes, ", "))
		}
	}
	return nil
}

// mountTypes are those of which it is known what they give a container. An image that is mounted would be another image to
// bring, to keep and to compare.
var mountTypes = []string{types.VolumeTypeBind, types.VolumeTypeVolume, types.VolumeTypeTmpfs}

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
	for _, name := range slices.Sorted(maps.Keys(s.Annotations)) {
		d.ask("annotation", name, "annotations", name, "tells the runtime "+name)
	}
	if s.CgroupParent != "" {
		d.ask("cgroup-parent", s.CgroupParent, "cgroup_parent", "", "is put into the control group "+s.CgroupParent)
	}
	if s.Logging != nil && !slices.Contains(logDrivers, s.Logging.Driver) {
		d.ask("log-driver", s.Logging.Driver, "logging", "", "logs by the driver "+s.Logging.Driver)
	}
}

// logDrivers keep a log on this machine, for the engine. Others have the engine send what a container prints to an address or
// a socket that the container's file names.
var logDrivers = []string{"", "json-file", "local", "journald", "none"}

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
	if mode := s.NetworkMode; !ofContainer.MatchString(mode) && !slices.Contains(networkModes, mode) {
		d.ask("network", mode, "network_mode", "", "joins the network "+mode+", which is not of this project")
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

// networkModes, and those that match ofContainer, are no network's name.
var (
	networkModes = []string{"", "host", "none", "bridge", "default"}
	ofContainer  = regexp.MustCompile(`^(service|container):`)
)

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
		if v.Type == types.VolumeTypeBind {
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
