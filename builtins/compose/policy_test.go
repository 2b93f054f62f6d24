package compose

import (
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/testdata/composetest"
)

// A project that asks for more than is declared is refused, in a preview as in a run, and runs if it is declared.
func TestPolicy(t *testing.T) {
	b := newBed(t, composetest.Current)
	state := b.state()
	b.file("compose.yaml", "name: shop\nservices:\n  site:\n    image: app:1\n    volumes: [\"./conf:/conf\"]\n    cap_add: [NET_ADMIN]\n")
	where := b.Dir + "/compose.yaml:6: service site adds the capability NET_ADMIN"
	b.Preview(up1).Want(events.DeniedRun).WantError(where)
	b.Run(up1).Want(events.DeniedRun).WantError(where)
	b.Run(`compose.build(DIR)`).Want(events.DeniedRun).WantError(where)
	b.Grant("docker", "capability:NET_ADMIN")
	b.Preview(up1).Want(events.DeniedRun).WantError(b.Dir + "/compose.yaml:5: service site mounts " + b.Dir + "/conf")
	b.Preview(`attempt(compose.up, DIR)`).Want(events.DeniedRun)
	if s := b.state(); s != state {
		t.Errorf("refused, the engine has\n%s\nwas\n%s", s, state)
	}
	b.Grant("docker", "host-path:"+b.Dir)
	b.Run(up1).Want(events.Succeeded)
	b.file("compose.yaml", "name: other\nservices: {site: {image: app:1, volumes: [/etc:/etc]}}")
	b.Preview(`compose.config(DIR)`).Want(events.DeniedRun).WantError("service site mounts /etc")
}
