package composefile

import (
	"slices"
	"strconv"

	"github.com/compose-spec/compose-go/v2/types"
)

// At is file:line of a key, such as services, web, image, or of the nearest thing around it that is there.
func (p *Project) At(keys ...string) string { return p.places.at(keys...) }

// Paths lists the files of the project.
func (p *Project) Paths() string { return p.places.paths() }

// GivenFiles are the files of the configs and secrets of a service.
func (p *Project) GivenFiles(s types.ServiceConfig) []string {
	var files []string
	for _, c := range s.Configs {
		files = append(files, p.Configs[c.Source].File)
	}
	for _, c := range s.Secrets {
		files = append(files, p.Secrets[c.Source].File)
	}
	return slices.DeleteFunc(files, func(f string) bool { return f == "" })
}

// HostPorts are the TCP ports of this machine that a service publishes.
func HostPorts(s types.ServiceConfig) []int {
	var list []int
	for _, p := range s.Ports {
		if n, err := strconv.Atoi(p.Published); err == nil && n > 0 && p.Protocol != "udp" {
			list = append(list, n)
		}
	}
	return list
}
