package systemd

import (
	"os"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func testLinks(t *testing.T) {
	put(t, "t-also.service", service(1))
	put(t, "t-links.service", "[Service]\nExecStart=/bin/sleep 1\n[Install]\nWantedBy=t-own.target\nAlias=t-alias.service\nAlso=t-also.service\n")
	put(t, "t-own.target", "[Unit]\nDescription=A test\n")
	put(t, "t-static.service", "[Service]\nExecStart=/bin/sleep 1\n")
	f := newFixture(t)
	before := machine(t)
	f.breakEverywhere(t, `
systemd.enable("t-links")
test.equal(systemd.status("t-links").enabled, "enabled")
test.equal(systemd.status("t-also").enabled, "enabled")
test.equal(fs.is_link("/etc/systemd/system/t-own.target.wants/t-links.service"), True)
systemd.disable("t-links")
`, func(place string) { same(t, "broken at "+place, machine(t), before) })

	systemctl(t, "enable", "t-links")
	enabled := machine(t)
	f.breakEverywhere(t, `
test.equal(systemd.enable("t-links").changed, False)
systemd.disable("t-links")
test.equal(systemd.status("t-links").enabled, "disabled")
test.equal(systemd.disable("t-links").changed, False)
`, func(place string) { same(t, "broken at "+place, machine(t), enabled) })

	// A file that names more than when it was enabled.
	f.run(units(map[string]string{"text": service(1)}) + `
systemd.unit("t-also", text.replace("multi-user.target", "multi-user.target t-own.target"))
test.equal(systemd.enable("t-also").changed, True)
test.equal(fs.is_link("/etc/systemd/system/t-own.target.wants/t-also.service"), True)
`).Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	same(t, "after a second link", machine(t), enabled)
	f.run(`systemd.enable("t-static")`).Want(events.Refused).WantError("no section [Install]")
	f.run(`systemd.enable("t-none")`).Want(events.Refused).WantError("there is no unit t-none.service")
	f.run(`test.equal(systemd.disable("t-none").changed, False)`).Want(events.Succeeded)
	systemctl(t, "disable", "t-links")
}

func testMask(t *testing.T) {
	vendor := "/usr/lib/systemd/system/t-vendor.service"
	if err := os.WriteFile(vendor, []byte(service(1)), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		os.Remove(vendor)
		systemctl(t, "daemon-reload")
	})
	systemctl(t, "daemon-reload")
	systemctl(t, "enable", "t-vendor")
	defer systemctl(t, "disable", "t-vendor")
	f := newFixture(t)
	before := machine(t)
	f.breakEverywhere(t, `
systemd.mask("t-vendor")
test.equal(systemd.mask("t-vendor").changed, False)
test.equal(systemd.status("t-vendor").load_state, "masked")
systemd.unmask("t-vendor")
test.equal(systemd.status("t-vendor").enabled, "enabled")
systemd.mask("t-vendor")
`, func(place string) { same(t, "broken at "+place, machine(t), before) })
	f.preview(`
systemd.mask("t-vendor")
test.equal(systemd.status("t-vendor").load_state, "masked")
systemd.unmask("t-vendor")
test.equal(systemd.status("t-vendor").enabled, "enabled")
systemd.mask("t-vendor")
systemd.start("t-vendor")
`).WantError("it is masked")
	f.run("systemd.mask(\"t-vendor\")\nsystemd.start(\"t-vendor\")").Want(events.RolledBack).WantError("it is masked")
	put(t, "t-own.service", service(1))
	f.run(`systemd.mask("t-own")`).Want(events.Refused).WantError("which the mask would take the place of")
}

func testTemplate(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	text := strings.Replace(service(1000), "sleep 1000", "sleep %i", 1)
	body := units(map[string]string{"text": text}) + `
systemd.unit("t-tpl@", text)
test.equal(systemd.unit("t-tpl@", text).changed, False)
systemd.enable("t-tpl@1000")
systemd.start("t-tpl@1000")
test.equal(systemd.status("t-tpl@1000").active, "active")
test.equal(systemd.start("t-tpl@1000").changed, False)
`
	f.preview(body).Want(events.WouldChange)
	f.breakEverywhere(t, body, func(place string) { same(t, "broken at "+place, machine(t), before) })
	f.run(`systemd.start("t-tpl@")`).Want(events.Refused).WantError("name an instance of it, such as t-tpl@1.service")
}

// Who may use an alias may use the unit only if that is declared, too.
func testAlias(t *testing.T) {
	f := newFixture(t)
	f.run(`systemd.restart("dbus-org.freedesktop.login1")`).Want(events.DeniedRun).WantError("systemd-logind.service is not declared")
	f.run(`systemd.status("systemd-logind")`).Want(events.DeniedRun)
	if err := os.Symlink("t-behind.service", unitPath("t-front.service", "")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Remove(unitPath("t-front.service", "")) })
	put(t, "t-behind.service", service(1))
	f.run(`systemd.unit("t-front", "[Service]\nExecStart=/bin/true\n")`).Want(events.Refused).WantError("is a link, not a file")
}
