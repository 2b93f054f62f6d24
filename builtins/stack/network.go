package stack

import (
	"fmt"
	"slices"

	"github.com/docker/docker/api/types/network"
)

// inspect is how the network will look when it is made.
func (n wantedNetwork) inspect() network.Inspect {
	i := network.Inspect{
		Name: n.name, Driver: n.options.Driver, Internal: n.options.Internal, Attachable: n.options.Attachable, Options: n.options.Options,
	}
	if n.options.EnableIPv6 != nil {
		i.EnableIPv6 = *n.options.EnableIPv6
	}
	if n.options.IPAM != nil {
		i.IPAM = *n.options.IPAM
	}
	return i
}

// check fails if the network is there and is not as the compose file says: a swarm never changes one. What the file says
// nothing about may be as it likes.
func (n wantedNetwork) check(there *network.Inspect) error {
	for _, one := range []struct {
		what     string
		was, now any
	}{
		{"driver", there.Driver, n.options.Driver}, {"internal", there.Internal, n.options.Internal},
		{"attachable", there.Attachable, n.options.Attachable}, {"enable_ipv6", there.EnableIPv6, n.inspect().EnableIPv6},
	} {
		if one.was != one.now {
			return n.fixed(one.what, one.was, one.now)
		}
	}
	for name, value := range n.options.Options {
		if there.Options[name] != value {
			return n.fixed("driver_opts "+name, there.Options[name], value)
		}
	}
	for _, pool := range n.inspect().IPAM.Config {
		if !slices.ContainsFunc(there.IPAM.Config, func(c network.IPAMConfig) bool { return c.Subnet == pool.Subnet }) {
			return n.fixed("subnet", subnets(there), pool.Subnet)
		}
	}
	return nil
}

func subnets(n *network.Inspect) []string {
	var all []string
	for _, c := range n.IPAM.Config {
		all = append(all, c.Subnet)
	}
	return all
}

func (n wantedNetwork) fixed(what string, was, now any) error {
	return fmt.Errorf("%s: network %s is there with %s %v, not %v: a swarm does not change that; give it another name, or take the "+
		"stack away first (stack.remove)", n.place, n.name, what, was, now)
}
