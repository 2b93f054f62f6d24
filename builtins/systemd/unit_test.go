package systemd

import (
	"os"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func testDropIn(t *testing.T) {
	put(t, "t-drop.service", service(1000))
	f := newFixture(t)
	before := machine(t)
	body := units(map[string]string{"part": "[Service]\nNice=7\n"}) + `
u = systemd.unit("t-drop", part, drop_in = "10-nice.conf")
test.equal(u.path, "/etc/systemd/system/t-drop.service.d/10-nice.conf")
test.equal(systemd.unit("t-drop", part, drop_in = "10-nice").changed, False)
systemd.start("t-drop")
`
	f.preview(body).Want(events.WouldChange)
	f.run(body).Want(events.Succeeded)
	if got := systemctl(t, "show", "--value", "--property=Nice", "t-drop"); got != "7" {
		t.Errorf("its niceness is %s", got)
	}
	f.Rollback().Want(events.Restored)
	same(t, "after the rollback", machine(t), before)
	f.run(`systemd.unit("t-drop", "[Service]\nNicee=7\n", drop_in = "10-nice")`).Want(events.Refused).WantError("Unknown key 'Nicee'")
	f.run(`systemd.unit("t-none", "[Service]\nNice=7\n", drop_in = "10-nice")`).Want(events.Refused).WantError("there is no unit t-none.service")
	same(t, "after what was refused", machine(t), before)
}

func testRemove(t *testing.T) {
	put(t, "t-gone.service", service(1000))
	systemctl(t, "enable", "--now", "t-gone")
	f := newFixture(t)
	before := machine(t)
	f.run(`systemd.remove("t-gone")`).Want(events.Refused).WantError("it runs: systemd.stop it first")
	f.run("systemd.stop(\"t-gone\")\nsystemd.remove(\"t-gone\")").Want(events.RolledBack).WantError("systemd.disable it first")
	body := `
systemd.stop("t-gone")
systemd.disable("t-gone")
systemd.remove("t-gone")
test.equal(systemd.status("t-gone").load_state, "not-found")
test.equal(systemd.remove("t-gone").changed, False)
test.equal(systemd.stop("t-gone").changed, False)
`
	f.preview(body).Want(events.WouldChange)
	f.breakEverywhere(t, body, func(place string) { same(t, "broken at "+place, machine(t), before) })
}

// Everybody can read the files of units.
func testSecret(t *testing.T) {
	t.Setenv("HOME", "correct horse battery staple")
	f := newFixture(t)
	f.run(`systemd.unit("t-secret", "[Service]\nExecStart=/bin/sleep 1\nEnvironment=\"P=" + secret.env("HOME") + "\"\n")`).
		Want(events.Refused).WantError("its content holds a secret")
	if _, err := os.Lstat(unitPath("t-secret.service", "")); err == nil {
		t.Error("it was written")
	}
}

func testVerify(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	for text, want := range map[string]string{
		"[Service]\nExecStart=/bin/sleep 1\nFoo=bar\n":     "t-ver.service:3: Unknown key 'Foo'",
		"[Service]\nType=daemon\nExecStart=/bin/sleep 1\n": "Failed to parse service type",
		"[Service]\nType=exec\n":                           "no ExecStart=",
		"ExecStart=/bin/sleep 1\n":                         "Assignment outside of section",
		"[Service]\nExecStart=/t-none/bin/x\n":             "Command /t-none/bin/x is not executable",
	} {
		body := units(map[string]string{"text": text}) + `systemd.unit("t-ver", text)`
		f.run(body).Want(events.Refused).WantError("systemd would not take its file as it is meant", want)
		f.preview(body).Want(events.Refused).WantError(want)
	}
	// What the preview will have made is there.
	f.preview(units(map[string]string{
		"need": service(1), "text": "[Unit]\nRequires=t-need.service\n[Service]\nExecStart=" + f.Dir + "/bin/x\n",
	}) + `
systemd.unit("t-need", need)
fs.mkdir(DIR + "/bin")
fs.write(DIR + "/bin/x", "#!/bin/sh\n", mode = "0755")
systemd.unit("t-ver", text)
`).Want(events.WouldChange)
	same(t, "after all", machine(t), before)
}
