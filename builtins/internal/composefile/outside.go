package composefile

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
)

// refused are the parts of a project that nothing here can vouch for.
func refused(p *Project) error {
	for section, has := range map[string]bool{
		"models": len(p.Models) > 0, // starts a program on this machine
		"jobs":   len(p.Jobs) > 0,
	} {
		if has {
			return fmt.Errorf("%s: %s is not supported", p.places.at(section), section)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(p.Volumes)) {
		if name := p.Volumes[key].Name; !volumeName.MatchString(name) {
			return fmt.Errorf("%s: %q is no name of a volume", p.places.at("volumes", key, "name"), name)
		}
	}
	return nil
}

// volumeName is what an engine takes for the name of a volume: what begins with a slash, it would take for a path.
var volumeName = regexp.MustCompile(`^[a-zA-Z0-9][a-zA-Z0-9_.-]*$`)

// outsider collects the demands of networks, volumes, configs and secrets: what others made, and what is of the host in disguise.
type outsider struct {
	project *Project
	found   []Demand
}

func outside(p *Project) []Demand {
	o := &outsider{project: p}
	for _, name := range slices.Sorted(maps.Keys(p.Volumes)) {
		o.volume(name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Networks)) {
		o.network(name)
	}
	for _, name := range slices.Sorted(maps.Keys(p.Configs)) {
		o.file("config", name, types.FileObjectConfig(p.Configs[name]))
	}
	for _, name := range slices.Sorted(maps.Keys(p.Secrets)) {
		o.file("secret", name, types.FileObjectConfig(p.Secrets[name]))
	}
	return o.found
}

func (o *outsider) add(section, name, what, target, text string) {
	o.found = append(o.found, Demand{What: text, Place: o.project.places.at(section, name), Need: dockerpolicy.Need(what, target)})
}

func (o *outsider) volume(name string) {
	v := o.project.Volumes[name]
	if foreign(o.project, name, v.Name, bool(v.External)) {
		o.add("volumes", name, "volume", v.Name, fmt.Sprintf("volume %s is %s, which is not of this project", name, v.Name))
	}
	needs, path := dockerpolicy.OfVolume(v.Driver, v.DriverOpts)
	for _, n := range needs {
		text := fmt.Sprintf("volume %s is of the driver %s", name, v.Driver)
		switch n.Target {
		case "host-path:" + path:
			text = fmt.Sprintf("volume %s is %s", name, path)
		case "volume-driver:local":
			text = fmt.Sprintf("volume %s mounts %q with type %q and o %q", name, v.DriverOpts["device"], v.DriverOpts["type"], v.DriverOpts["o"])
		}
		o.found = append(o.found, Demand{What: text, Place: o.project.places.at("volumes", name), Need: n})
	}
	if path != "" && engine.HoldsSocket(path) {
		o.add("volumes", name, dockerpolicy.Socket, "", fmt.Sprintf("volume %s is %s, where the engine's socket is", name, path))
	}
}

// bridgeName is the option of a network that names the bridge of this machine which it is.
const bridgeName = "com.docker.network.bridge.name"

func (o *outsider) network(name string) {
	n := o.project.Networks[name]
	switch {
	case n.Name == "host" || n.Driver == "host":
		o.add("networks", name, "host-network", "", fmt.Sprintf("network %s is the host's", name))
	case foreign(o.project, name, n.Name, bool(n.External)):
		o.add("networks", name, "network", n.Name, fmt.Sprintf("network %s is %s, which is not of this project", name, n.Name))
	}
	for _, driver := range []string{n.Driver, n.Ipam.Driver} {
		if driver != "host" && !slices.Contains(ownDrivers, driver) {
			o.add("networks", name, "network-driver", driver, fmt.Sprintf("network %s is of the driver %s", name, driver))
		}
	}
	if bridge := n.DriverOpts[bridgeName]; bridge != "" {
		o.add("networks", name, "network", bridge, fmt.Sprintf("network %s is the bridge %s of this machine", name, bridge))
	}
}

// ownDrivers are those of networks that lead to nothing but the containers in them.
var ownDrivers = []string{"", "default", "bridge", "overlay"}

// file demands a config or secret that something else made.
func (o *outsider) file(kind, name string, f types.FileObjectConfig) {
	if f.External {
		o.add(kind+"s", name, kind, f.Name, fmt.Sprintf("%s %s is %s, which is not of this project", kind, name, f.Name))
	}
}

// foreign reports whether a volume or network is, or may be, one that something else made.
func foreign(p *Project, key, name string, external bool) bool {
	return external || name != p.Name+"_"+key
}
