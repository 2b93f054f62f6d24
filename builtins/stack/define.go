package stack

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
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
	options network.CreateOptions
}

// fileKind is what holds a file that a swarm hands to containers.
type fileKind string

const (
	configKind fileKind = "config"
	secretKind fileKind = "secret"
)

// wantedFile is a config or a secret. Its content never changes: another content is another name.
type wantedFile struct {
	kind   fileKind
	name   string
	data   []byte
	labels map[string]string
}

// id names it among configs and secrets.
func (f wantedFile) id() string { return string(f.kind) + " " + f.name }

// outside is what something else has to have made.
type outside struct {
	kind  string // network, config, secret
	name  string
	place string
}

// define makes a definition of a project. Contents has what the files of its configs and secrets hold, by path.
func define(p *project, contents map[string][]byte) (*definition, error) {
	d := &definer{project: p, contents: contents, files: map[string]string{}, def: &definition{name: p.Name}}
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
		EnableIPv6: n.EnableIPv6, Labels: d.labels(n.Labels),
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
	d.def.networks = append(d.def.networks, wantedNetwork{n.Name, options})
}

// maxFile is how large a config or secret may be, in bytes: the swarm takes no more.
const maxFile = 500 * 1024

// secretRounds makes it slow to find out, by the name of a secret that everybody may see, what is in it.
const secretRounds = 600_000

// nameOf is the name of a config or secret with a content: another content is another object.
func (kind fileKind) nameOf(name string, data []byte) (string, error) {
	if kind == configKind {
		sum := sha256.Sum256(data)
		return name + "-" + hex.EncodeToString(sum[:sumLength]), nil
	}
	sum, err := pbkdf2.Key(sha256.New, string(data), []byte(name), secretRounds, sumLength)
	if err != nil {
		return "", fmt.Errorf("name secret %s: %w", name, err)
	}
	return name + "-" + hex.EncodeToString(sum), nil
}

// sumLength is how many bytes of a sum stand in a name, which may have 64 characters.
const sumLength = 6

func (d *definer) file(kind fileKind, key string, f types.FileObjectConfig) error {
	at := d.project.At(string(kind)+"s", key)
	if f.External {
		d.files[string(kind)+" "+key] = f.Name
		d.def.outside = append(d.def.outside, outside{string(kind), f.Name, at})
		return nil
	}
	data := []byte(f.Content)
	switch {
	case f.Driver != "" || f.TemplateDriver != "":
		return fmt.Errorf("%s: %s %s: a driver is not supported", at, kind, key)
	case f.File != "":
		content, ok := d.contents[f.File]
		if !ok {
			return fmt.Errorf("%s: %s %s: %s cannot be read", at, kind, key, f.File)
		}
		data = content
	case f.Environment != "":
		data = []byte(d.project.Environment[f.Environment])
	}
	if len(data) == 0 || len(data) > maxFile {
		return fmt.Errorf("%s: %s %s has %d bytes: a swarm takes 1 to %d", at, kind, key, len(data), maxFile)
	}
	name, err := kind.nameOf(f.Name, data)
	if err != nil {
		return err
	}
	d.files[string(kind)+" "+key] = name
	d.def.files = append(d.def.files, wantedFile{kind, name, data, d.labels(f.Labels)})
	return nil
}
