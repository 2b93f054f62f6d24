package docker

import (
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/runtime/policy"
)

func needImage(ref string) policy.Need      { return dockerpolicy.Need("image", ref) }
func needContainer(name string) policy.Need { return dockerpolicy.Need("container", name) }
func needNetwork(name string) policy.Need   { return dockerpolicy.Need("network", name) }
func needVolume(name string) policy.Need    { return dockerpolicy.Need("volume", name) }

// needs is a list of permissions without those that are there twice.
func needs(list ...policy.Need) []policy.Need {
	var unique []policy.Need
	for _, n := range list {
		if !slices.Contains(unique, n) {
			unique = append(unique, n)
		}
	}
	return unique
}
