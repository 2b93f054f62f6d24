package user_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/builtins/internal/familytest"
	"github.com/infrarun/infrarun/runtime/events"
)

func testInUse(t *testing.T) {
	before := etc(t)
	f := newFixture(t)
	f.Run(recipe(`user.ensure("app")`)).Want(events.Succeeded)
	sleeper := exec.Command("setpriv", "--reuid=app", "--regid=app", "--clear-groups", "sleep", "1000")
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return strings.Contains(command(t, "ps", "-o", "user=,comm=", "-A"), "app      sleep") })
	r := f.Rollback().Want(events.Incomplete)
	if len(r.Outcome.Left) != 1 || !strings.Contains(r.Outcome.Left[0].Error, fmt.Sprintf("sleep (process %d)", sleeper.Process.Pid)) {
		t.Errorf("left: %v", r.Outcome.Left)
	}
	if err := sleeper.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = sleeper.Wait()
	f.Rollback().Want(events.Restored)
	familytest.SameTree(t, "after the second rollback", etc(t), before)

	f.Run(recipe(`user.group("infra")`)).Want(events.Succeeded)
	command(t, "useradd", "--gid", "infra", "visitor")
	f.ForceRollback().Want(events.Incomplete)
	command(t, "userdel", "visitor")
	f.ForceRollback().Want(events.Restored)
}

func waitFor(t *testing.T, ready func() bool) {
	t.Helper()
	for range 1000 {
		if ready() {
			return
		}
		command(t, "sleep", "0.01")
	}
	t.Fatal("waited in vain")
}

func testRefused(t *testing.T) {
	before := etc(t)
	f := newFixture(t)
	for body, want := range map[string]string{
		`user.ensure("app", groups = ["nowhere"])`: "there is no group nowhere; make it first with user.group",
		`user.ensure("app", shell = "/bin/none")`:  "there is no shell /bin/none",
		`user.ensure("app", shell = "bash")`:       "no absolute path",
		`user.ensure("app", home = "/a:b")`:        "without a colon",
		`user.ensure("app", uid = 0)`:              "0 is root",
		`user.ensure("app", uid = 1)`:              "the number 1 is taken",
		`user.ensure("-app")`:                      "is no name",
		`user.group("app", gid = 0)`:               "the number 0 is taken",
		`user.group("adm", gid = 77)`:              "it has the number 4, not 77",
		`user.ensure("app", uid = "7")`:            "got string, want int",
	} {
		f.Run(recipe(body)).Want(events.Refused).WantError(want)
	}
	f.Run(recipe(`user.ensure("stranger")`)).Want(events.DeniedRun).WantError("user: stranger is not declared")
	f.Run(recipe(`user.ensure("app", groups = ["sudo"])`)).Want(events.DeniedRun).WantError("user: group:sudo is not declared")
	familytest.SameTree(t, "after refusals", etc(t), before)
}

func testDrift(t *testing.T) {
	f := newFixture(t)
	f.Run(recipe(`user.ensure("app")`)).Want(events.Succeeded)
	command(t, "usermod", "--home", filepath.Join("/srv", "app"), "app")
	f.Rollback().Want(events.Refused).WantError("/srv/app")
	f.ForceRollback().Want(events.Restored)
	if strings.Contains(command(t, "cat", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow"), "app:") {
		t.Error("the user is left")
	}
}
