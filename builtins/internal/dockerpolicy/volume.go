package dockerpolicy

import (
	"path/filepath"
	"strings"

	"github.com/infrarun/infrarun/runtime/policy"
)

// VolumeOptions lists what the options of a volume of the driver local take. The engine makes the arguments of mount(2) of
// them, as root: a device that is a path, bound without any other path in what else is said, gives that path; whatever else
// can be mounted, such as an overlay of any directories, gives what only the driver itself names.
func VolumeOptions(options map[string]string) []policy.Need {
	var all []policy.Need
	device, kind, how := options["device"], options["type"], options["o"]
	if filepath.IsAbs(device) {
		all = append(all, Need("host-path", device))
	}
	bound := filepath.IsAbs(device) && (kind == "" || kind == "none" || kind == "bind") && !strings.Contains(how, "/")
	if !bound && device+kind+how != "" {
		all = append(all, Need("volume-driver", "local"))
	}
	return all
}
