package systemd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// breaker is a sink that makes the run fail right before or after a change is made.
type breaker struct {
	left  int
	place string
}

func (b *breaker) Handle(e events.Event) {
	if b.left <= 0 || e.Kind != events.ChangeStarted && (e.Kind != events.ChangeFinished || e.Change.Status != events.Done) {
		return
	}
	if b.left--; b.left == 0 {
		b.place = fmt.Sprintf("%s of %s %s", e.Kind, e.Change.Call, e.Change.Target)
		panic("broken by the test at " + b.place)
	}
}

func (b *breaker) Close() error { return nil }

// breakEverywhere runs a recipe again and again, failing at every place once, and has check look at the machine after
// each rollback.
func (f fixture) breakEverywhere(t *testing.T, body string, check func(place string)) {
	t.Helper()
	for n := 1; ; n++ {
		b := &breaker{left: n}
		r := f.RunContext(t.Context(), recipe(body), b)
		if b.left > 0 {
			r.Want(events.Succeeded)
			f.Rollback().Want(events.Restored)
			check("the end")
			return
		}
		r.Want(events.RolledBack)
		check(b.place)
	}
}

func testUpgrade(t *testing.T) {
	put(t, "t-up.service", service(1000))
	systemctl(t, "enable", "--now", "t-up.service")
	before, pid := machine(t), systemctl(t, "show", "--property=MainPID", "t-up")
	f := newFixture(t)

	f.run(units(map[string]string{"text": service(1001)}) + `systemd.unit("t-up", text)`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	same(t, "after the rollback of the file alone", machine(t), before)
	if got := systemctl(t, "show", "--property=MainPID", "t-up"); got != pid {
		t.Errorf("it was restarted for nothing: %s, then %s", pid, got)
	}

	body := units(map[string]string{"text": service(1001)}) + `
if systemd.unit("t-up", text).changed:
    systemd.restart("t-up")
systemd.wait_active("t-up")
`
	f.run(body).Want(events.Succeeded)
	if got := command(t, "t-up"); got != "/bin/sleep 1001" {
		t.Errorf("after the run it runs %s", got)
	}
	f.Rollback().Want(events.Restored)
	same(t, "after the rollback", machine(t), before)
	if got := command(t, "t-up"); got != "/bin/sleep 1000" {
		t.Errorf("after the rollback it runs %s", got)
	}
	// A version that does not start.
	broken := units(map[string]string{"text": strings.Replace(service(1), "/bin/sleep 1", "/bin/false", 1)}) +
		"systemd.unit(\"t-up\", text)\nsystemd.restart(\"t-up\")\nsystemd.wait_active(\"t-up\", stable = 1)\n"
	f.run(broken).Want(events.RolledBack).WantError("exit status 1")
	same(t, "after the failed upgrade", machine(t), before)
	if got := command(t, "t-up"); got != "/bin/sleep 1000" {
		t.Errorf("after the failed upgrade it runs %s", got)
	}
}

// scripts makes two releases of a program in dir and a link to the first.
func scripts(t *testing.T, dir string) (text string) {
	t.Helper()
	for name, body := range map[string]string{"one": "exec sleep 1001", "two": "exec sleep 1002", "broken": "exit 3"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name, "run"), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(dir, "one"), filepath.Join(dir, "current")); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(service(1), "/bin/sleep 1", filepath.Join(dir, "current", "run"), 1)
}

// A recipe that stops a service, switches what it runs, and starts it gets it back as it was, wherever it fails.
func testBracket(t *testing.T) {
	f := newFixture(t)
	put(t, "t-br.service", scripts(t, f.Dir))
	systemctl(t, "start", "t-br")
	before := machine(t)
	body := `
systemd.stop("t-br")
fs.symlink(DIR + "/two", DIR + "/current")
systemd.start("t-br")
systemd.restart("t-br")
`
	f.breakEverywhere(t, body, func(place string) {
		same(t, "broken at "+place, machine(t), before)
		waitFor(t, "t-br", "sleep 1001")
	})
	// A release that does not work is no obstacle.
	f.run(strings.ReplaceAll(body, "/two", "/broken") + `systemd.wait_active("t-br", stable = 1)`).Want(events.RolledBack)
	same(t, "after the broken release", machine(t), before)
	waitFor(t, "t-br", "sleep 1001")
}

func testPushedRestart(t *testing.T) {
	f := newFixture(t)
	put(t, "t-push.service", scripts(t, f.Dir))
	systemctl(t, "start", "t-push")
	pid := systemctl(t, "show", "--property=MainPID", "t-push")
	body := `
rollback.push(systemd.restart, "t-push", unless_invocation = systemd.status("t-push").invocation)
fs.symlink(DIR + "/two", DIR + "/current")
`
	f.run(body).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	if got := systemctl(t, "show", "--property=MainPID", "t-push"); got != pid {
		t.Errorf("it was restarted for nothing: %s, then %s", pid, got)
	}
	f.run(body + `systemd.restart("t-push")`).Want(events.Succeeded)
	waitFor(t, "t-push", "sleep 1002")
	f.Rollback().Want(events.Restored)
	waitFor(t, "t-push", "sleep 1001")
}

func testBrokenEverywhere(t *testing.T) {
	f := newFixture(t)
	put(t, "t-old.service", service(1000))
	systemctl(t, "enable", "--now", "t-old")
	before := machine(t)
	body := units(map[string]string{"old": service(2000), "new": service(3000, "Restart=always"), "part": "[Service]\nNice=5\n"}) + `
systemd.unit("t-new", new)
systemd.unit("t-new", part, drop_in = "10-nice")
systemd.enable("t-new")
systemd.start("t-new")
systemd.stop("t-old")
systemd.unit("t-old", old)
systemd.unit("t-old", part, drop_in = "10-nice")
systemd.disable("t-old")
systemd.start("t-old")
systemd.restart("t-old")
systemd.stop("t-new")
systemd.daemon_reload()
`
	f.breakEverywhere(t, body, func(place string) {
		same(t, "broken at "+place, machine(t), before)
		if got := command(t, "t-old"); got != "/bin/sleep 1000" {
			t.Errorf("broken at %s, it runs %s", place, got)
		}
	})
}

// An undo is carried out twice if infrarun is killed right after it.
func testUndoTwice(t *testing.T) {
	f := newFixture(t)
	put(t, "t-twice.service", service(1000))
	systemctl(t, "enable", "--now", "t-twice")
	before := machine(t)
	f.run(units(map[string]string{"text": service(2000), "part": "[Service]\nNice=5\n"}) + `
systemd.unit("t-twice", text)
systemd.unit("t-twice", part, drop_in = "10-nice")
systemd.disable("t-twice")
systemd.restart("t-twice")
systemd.unit("t-once", text)
systemd.enable("t-once")
systemd.start("t-once")
`).Want(events.Succeeded)
	forget := f.Remember()
	f.Rollback().Want(events.Restored)
	same(t, "after the rollback", machine(t), before)
	pid := systemctl(t, "show", "--property=MainPID", "t-twice")
	forget()
	f.ForceRollback().Want(events.Restored)
	same(t, "after the second rollback", machine(t), before)
	if got := command(t, "t-twice"); got != "/bin/sleep 1000" {
		t.Errorf("it runs %s (%s before)", got, pid)
	}
}

func testUndoWithoutFile(t *testing.T) {
	f := newFixture(t)
	f.run(units(map[string]string{"text": service(1000)}) + `
systemd.unit("t-file", text)
systemd.enable("t-file")
systemd.start("t-file")
`).Want(events.Succeeded)
	// Somebody has removed it by hand.
	systemctl(t, "disable", "--now", "t-file")
	if err := os.Remove(unitPath("t-file.service", "")); err != nil {
		t.Fatal(err)
	}
	systemctl(t, "daemon-reload")
	before := machine(t)
	f.ForceRollback().Want(events.Restored)
	same(t, "after the rollback", machine(t), before)
}
