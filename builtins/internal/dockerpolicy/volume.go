package dockerpolicy

import (
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/policy"
)

// OfVolume lists what it takes to make a volume with options of its driver, and the path of the host that it is, "" if it
// is none.
//
// The driver local gives its options to mount(2). A path among them is what is mounted only if that is a bind mount: an
// overlay does not look at its device and mounts what stands in o, proc and cgroup show the kernel's own. Nor is it a tmpfs,
// whatever its type, that is bound, moved or mounted anew: its device can be a path that is relative to wherever the engine is.
func OfVolume(driver string, options map[string]string) (needs []policy.Need, path string) {
	local := driver == "" || driver == "local"
	if !local {
		needs = append(needs, Need("volume-driver", driver))
	}
	device, flags := options["device"], strings.Split(options["o"], ",")
	if strings.HasPrefix(device, "/") {
		needs, path = append(needs, Need("host-path", device)), device
	}
	flagged := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return slices.Contains(flags, n) })
	}
	binds := path != "" && flagged("bind", "rbind")
	tmpfs := options["type"] == "tmpfs" && !flagged("bind", "rbind", "move", "remount")
	mounts := device != "" || options["type"] != "" || options["o"] != ""
	if local && mounts && !binds && !tmpfs {
		needs = append(needs, Need("volume-driver", "local"))
	}
	return needs, path
}
