package stack

import (
	"maps"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/swarm"
)

// namespaceLabel is on all that belongs to a stack, as `docker stack` has it.
const namespaceLabel = "com.docker.stack.namespace"

// imageLabel is on a service with the image as the compose file names it, as `docker stack` has it.
const imageLabel = "com.docker.stack.image"

// definition is a project as a swarm has it. Networks, configs and secrets are named, not identified: they may not be there
// yet.
type definition struct {
	name     string
	services []wantedService // by name
	networks []wantedNetwork
	files    []wantedFile
	outside  []outside
}

// wantedService is a service of the compose file.
type wantedService struct {
	key   string // in the compose file
	place string // file:line of its image
	image string // as the compose file names it
	spec  swarm.ServiceSpec
}

type wantedNetwork struct {
	name    string
	place   string // file:line
	options network.CreateOptions
}

// outside is what something else has to have made.
type outside struct {
	kind  string // network, config, secret
	name  string
	place string
}

// define makes a definition of a project. Contents has what the files of its configs and secrets hold, by path.
func define(p *project, contents map[string][]byte, prints fingerprint) (*definition, error) {
	d := &definer{project: p, contents: contents, prints: prints, files: map[string]string{}, def: &definition{name: p.Name}}
	if err := d.objects(); err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(p.Services)) {
		if err := d.service(p.Services[key]); err != nil {
			return nil, err
		}
	}
	return d.def, nil
}

type definer struct {
	project  *project
	contents map[string][]byte
	prints   fingerprint
	files    map[string]string // "config key" and "secret key" to the name in the swarm
	def      *definition
}

// labels are those of something that belongs to the stack.
func (d *definer) labels(own types.Labels) map[string]string {
	all := map[string]string{}
	maps.Copy(all, own)
	all[namespaceLabel] = d.project.Name
	return all
}

// objects defines what services refer to.
func (d *definer) objects() error {
	used := map[string]bool{}
	for _, s := range d.project.Services {
		for key := range s.Networks {
			used[key] = true
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.project.Networks)) {
		if used[key] {
			d.network(key, d.project.Networks[key])
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.project.Configs)) {
		if err := d.file(configKind, key, types.FileObjectConfig(d.project.Configs[key])); err != nil {
			return err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(d.project.Secrets)) {
		if err := d.file(secretKind, key, types.FileObjectConfig(d.project.Secrets[key])); err != nil {
			return err
		}
	}
	return nil
}

func (d *definer) network(key string, n types.NetworkConfig) {
	if n.External {
		d.def.outside = append(d.def.outside, outside{"network", n.Name, d.project.At("networks", key)})
		return
	}
	options := network.CreateOptions{
		Driver: n.Driver, Scope: "swarm", Options: n.DriverOpts, Internal: n.Internal, Attachable: n.Attachable,
		EnableIPv4: n.EnableIPv4, EnableIPv6: n.EnableIPv6, Labels: d.labels(n.Labels),
	}
	if options.Driver == "" || options.Driver == "default" {
		options.Driver = "overlay"
	}
	if n.Ipam.Driver != "" || len(n.Ipam.Config) > 0 {
		options.IPAM = &network.IPAM{Driver: n.Ipam.Driver, Options: n.Ipam.Options}
		for _, pool := range n.Ipam.Config {
			options.IPAM.Config = append(options.IPAM.Config, network.IPAMConfig{
				Subnet: pool.Subnet, Gateway: pool.Gateway, IPRange: pool.IPRange, AuxAddress: pool.AuxiliaryAddresses,
			})
		}
	}
	d.def.networks = append(d.def.networks, wantedNetwork{n.Name, d.project.At("networks", key), options})
}
