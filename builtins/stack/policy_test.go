package stack

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// A stack that asks for more than is declared is refused, in a preview as in a run, with the service and the line. No engine
// is asked.
func TestPolicy(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
	for _, c := range []struct{ asks, beside, want string }{
		{"privileged: true", "", "service site runs privileged"},
		{"cap_add: [SYS_ADMIN]", "", "service site adds the capability SYS_ADMIN"},
		{"pid: host", "", "service site shares the host's pid"},
		{"ipc: host", "", "service site shares the host's ipc"},
		{"uts: host", "", "service site shares the host's uts"},
		{"cgroup: host", "", "service site shares the host's cgroup"},
		{"userns_mode: host", "", "service site shares the host's userns"},
		{"network_mode: host", "", "service site shares the host's net"},
		{"runtime: special", "", "service site runs in the runtime special"},
		{"devices: [/dev/fuse]", "", "service site is given the device /dev/fuse"},
		{"device_cgroup_rules: [c 1:3 mr]", "", "service site is given the devices c 1:3 mr"},
		{"gpus: all", "", "service site is given devices by a driver"},
		{"security_opt: [label:x]", "", "service site sets the security option label:x"},
		{"use_api_socket: true", "", "service site uses the engine's socket"},
		{"volumes: [/etc:/etc:ro]", "", "service site mounts /etc"},
		{"volumes: [/:/host]", "", "service site mounts /, where the engine's socket is"},
		{"configs: [c]", "configs: {c: {file: /etc/passwd}}", "service site mounts /etc/passwd"},
		{"secrets: [s]", "secrets: {s: {file: /etc/shadow}}", "service site mounts /etc/shadow"},
		{"configs: [c]", "configs: {c: {external: true, name: theirs}}", "config c is theirs, which is not of this project"},
		{"secrets: [s]", "secrets: {s: {external: true, name: theirs}}", "secret s is theirs, which is not of this project"},
		{"volumes: [data:/v]", "volumes: {data: {driver_opts: {type: none, o: bind, device: /home}}}", "volume data is /home"},
		{"volumes: [data:/v]", "volumes: {data: {external: true, name: theirs}}", "volume data is theirs, which is not of this project"},
		{"volumes: [data:/v]", "volumes: {data: {driver: special}}", "volume data is of the driver special"},
		{"networks: [n]", "networks: {n: {external: true, name: host}}", "network n is the host's"},
		{"networks: [n]", "networks: {n: {external: true, name: theirs}}", "network n is theirs, which is not of this project"},
		{"networks: [n]", "networks: {n: {driver: macvlan}}", "network n is of the driver macvlan"},
	} {
		f := fixture(t)
		text := "name: shop\nservices:\n  site:\n    image: app:1\n    " + c.asks + "\n" + c.beside + "\n"
		if err := os.WriteFile(filepath.Join(f.Dir, "compose.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		line := 5
		if !strings.HasPrefix(c.want, "service") {
			line = 6
		}
		want := fmt.Sprintf("%s/compose.yaml:%d: %s", f.Dir, line, c.want)
		f.Preview(`stack.deploy(DIR)`).Want(events.DeniedRun).WantError(want)
		f.Run(`stack.deploy(DIR)`).Want(events.DeniedRun).WantError(want)
	}
}
