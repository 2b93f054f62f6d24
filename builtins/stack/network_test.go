package stack

import (
	"strings"
	"testing"

	"github.com/docker/docker/api/types/network"
)

// A network that is there and should be another one is refused with its line, instead of staying as it is.
func TestNetworkCheck(t *testing.T) {
	d, err := defined(`
name: shop
services: {a: {image: x, networks: [back]}}
networks:
  back: {driver_opts: {encrypted: "true"}, ipam: {config: [{subnet: 10.9.0.0/24}]}}
`)
	if err != nil {
		t.Fatal(err)
	}
	wanted := d.networks[0]
	for want, change := range map[string]func(*network.Inspect){
		"": func(n *network.Inspect) {
			n.Options = map[string]string{"encrypted": "true", "com.docker.network.driver.overlay.vxlanid_list": "4097"}
		},
		"driver bridge, not overlay":            func(n *network.Inspect) { n.Driver = "bridge" },
		"internal true, not false":              func(n *network.Inspect) { n.Internal = true },
		"attachable true, not false":            func(n *network.Inspect) { n.Attachable = true },
		"driver_opts encrypted , not true":      func(n *network.Inspect) { n.Options = nil },
		"subnet [10.8.0.0/24], not 10.9.0.0/24": func(n *network.Inspect) { n.IPAM.Config = []network.IPAMConfig{{Subnet: "10.8.0.0/24"}} },
	} {
		there := wanted.inspect()
		change(&there)
		err := wanted.check(&there)
		switch {
		case want == "" && err != nil:
			t.Error(err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), "/srv/compose.yaml:5: network shop_back is there with "+want)):
			t.Errorf("%v, want %q", err, want)
		}
	}
}
