package process

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime/events"
)

func TestAnotherUser(t *testing.T) {
	familytest.Need(t, os.Geteuid() == 0, "only root can run something as somebody else")
	f := fixture(t)
	for dir := f.Dir; dir != "/"; dir = filepath.Dir(dir) { // the user must be able to get there
		if info, err := os.Stat(dir); err != nil || info.Mode()&0o001 == 0 {
			if err := os.Chmod(dir, info.Mode()|0o011); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := service{f.Dir, "s"}
	write(t, f, "env", "TOKEN='for nobody'\n", 0o600) // which the user cannot read
	const body = `process.start("s", ["sh", "-c", "id -u; id -g; echo $HOME; echo $USER; echo $TOKEN; exec sleep 600"], dir = DIR, user = "nobody", env_file = DIR + "/env")`
	f.Run(body).Want(events.Succeeded)
	now := wantRunning(t, s)
	o, err := ownerOf(filesys.Machine(), definition{User: "nobody"})
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("%s\n%s\n%s\nnobody\nfor nobody\n", o.user.Uid, o.user.Gid, o.user.HomeDir)
	eventually(t, "it has printed who it is", func() bool { return read(t, s.file(".log")) == want })
	if status := read(t, fmt.Sprintf("/proc/%d/status", now.supervisor.PID)); !strings.Contains(status, "Uid:\t0\t") {
		t.Error("the supervisor is not root, so whoever it runs could change what root runs")
	}
	if r := f.Run(body).Want(events.Succeeded); r.Changes()[0].Status != events.Unchanged {
		t.Errorf("the second time: %s", r.Changes()[0].Summary)
	}
	f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	wantGone(t, s)
}
