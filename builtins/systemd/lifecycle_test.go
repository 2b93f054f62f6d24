package systemd

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

func testLifecycle(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	body := units(map[string]string{"text": service(1000)}) + `
test.equal(systemd.available(), True)
u = systemd.unit("t-life", text)
test.equal((u.name, u.path), ("t-life.service", "/etc/systemd/system/t-life.service"))
systemd.enable("t-life")
systemd.start("t-life")
s = systemd.wait_active("t-life")
test.equal((s.load_state, s.active, s.sub, s.enabled), ("loaded", "active", "running", "enabled"))
test.equal((s.restarts, s.result, s.fragment_path), (0, "success", u.path))
`
	p := f.preview(body).Want(events.WouldChange)
	same(t, "after the preview", machine(t), before)
	if got := strings.Join(p.Summaries(), "\n"); !strings.Contains(got, "would systemd.unit: create /etc/systemd/system/t-life.service") ||
		!strings.Contains(got, "would systemd.start: start it, it is inactive") {
		t.Errorf("the preview says\n%s", got)
	}
	if diff := p.Changes()[0].Diff; !strings.Contains(diff, "+ExecStart=/bin/sleep 1000\n") {
		t.Errorf("the diff is\n%s", diff)
	}
	f.run(body).Want(events.Succeeded)
	if got := show(t, "t-life"); got != "loaded\nactive\nenabled\nno" {
		t.Errorf("after the run it is %q", got)
	}
	for _, c := range f.run(body).Want(events.Succeeded).Changes() {
		if c.Status != events.Unchanged {
			t.Errorf("the second run: %s %s: %s", c.Status, c.Call, c.Summary)
		}
	}
	f.Rollback().Want(events.Restored)
	same(t, "after the rollback", machine(t), before)
}

func testPreviewSeesItself(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	f.preview(units(map[string]string{"text": service(1000), "other": service(1, "[Unit]", "Requires=t-seen.service")}) + `
test.equal(systemd.status("t-seen").load_state, "not-found")
systemd.unit("t-seen", text)
test.equal(systemd.status("t-seen").enabled, "disabled")
test.equal(fs.read("/etc/systemd/system/t-seen.service"), text)
test.equal(systemd.unit("t-seen", text).changed, False)
systemd.enable("t-seen")
test.equal(systemd.status("t-seen").enabled, "enabled")
test.equal(fs.readlink("/etc/systemd/system/multi-user.target.wants/t-seen.service"), "/etc/systemd/system/t-seen.service")
test.equal(systemd.enable("t-seen").changed, False)
systemd.unit("t-other", other)
test.equal(net.port_free(8082), True)
systemd.start("t-seen", ports = [8082])
test.equal(net.port_free(8082), False)
test.equal(systemd.start("t-seen").changed, False)
s = systemd.wait_active("t-seen", stable = 100)
test.equal((s.active, s.sub), ("active", "running"))
systemd.stop("t-seen")
test.equal(net.port_free(8082), True)
test.equal(systemd.status("t-seen").active, "inactive")
systemd.disable("t-seen")
test.equal(fs.exists("/etc/systemd/system/multi-user.target.wants/t-seen.service"), False)
systemd.remove("t-seen")
test.equal(systemd.status("t-seen").load_state, "not-found")
systemd.start("t-from-a-package")
systemd.enable("t-from-a-package")
`).Want(events.WouldChange)
	f.preview(units(map[string]string{"text": service(1000)}) + `
systemd.unit("t-seen", text)
systemd.start("t-seen")
print(systemd.status("t-seen").pid)
`).WantError("more about t-seen.service, which this run starts or stops, is not known in a preview")
	same(t, "after the previews", machine(t), before)
}

func testCancelled(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	body := units(map[string]string{"text": "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n"}) +
		"systemd.unit(\"t-slow\", text)\nsystemd.start(\"t-slow\", timeout = 600)\n"
	f.RunContext(ctx, recipe(body), startedSink{"systemd.start", func() { cancel(runtime.ErrInterrupted) }}).Want(events.Interrupted)
	same(t, "after the cancelled run", machine(t), before)
}

// startedSink calls a function when a change is begun.
type startedSink struct {
	call string
	then func()
}

func (s startedSink) Handle(e events.Event) {
	if e.Kind == events.ChangeStarted && e.Change.Call == s.call {
		s.then()
	}
}

func (s startedSink) Close() error { return nil }

// What systemd starts or stops along with a unit is put back with it.
func testAround(t *testing.T) {
	put(t, "t-base.service", service(1000))
	put(t, "t-mid.service", strings.Replace(service(1000), "[Unit]", "[Unit]\nRequires=t-base.service\nAfter=t-base.service", 1))
	put(t, "t-top.service", strings.Replace(service(1000), "[Unit]", "[Unit]\nRequires=t-mid.service\nAfter=t-mid.service", 1))
	f := newFixture(t)
	before := machine(t)
	f.breakEverywhere(t, `
systemd.start("t-top")
test.equal(systemd.status("t-base").active, "active")
`, func(place string) { same(t, "broken at "+place, machine(t), before) })
	systemctl(t, "start", "t-top")
	running := machine(t)
	for _, verb := range []string{"stop", "restart"} {
		f.breakEverywhere(t, "systemd."+verb+`("t-base")`, func(place string) { same(t, "broken at "+place, machine(t), running) })
	}
	f.preview(`
systemd.stop("t-base")
test.equal(systemd.status("t-top").active, "inactive")
systemd.start("t-top")
test.equal(systemd.status("t-base").active, "active")
`).Want(events.WouldChange)
	// Somebody else needs it by then.
	systemctl(t, "stop", "t-base")
	f.run(`systemd.start("t-mid")`).Want(events.Succeeded)
	put(t, "t-user.service", strings.Replace(service(1000), "[Unit]", "[Unit]\nRequires=t-base.service", 1))
	systemctl(t, "start", "t-user")
	f.Rollback().Want(events.Restored)
	if got := systemctl(t, "is-active", "t-base", "t-user"); got != "active\nactive" {
		t.Errorf("what another unit needs is %s", got)
	}
	systemctl(t, "stop", "t-base")
}

func testReload(t *testing.T) {
	f := newFixture(t)
	mark := filepath.Join(f.Dir, "reloaded")
	put(t, "t-reload.service", service(1000, "ExecReload=/bin/touch "+mark))
	f.run(`systemd.reload("t-reload")`).Want(events.Refused).WantError("it does not run")
	systemctl(t, "start", "t-reload")
	f.run(`systemd.reload("t-reload")`).Want(events.Succeeded)
	if _, err := os.Stat(mark); err != nil {
		t.Error(err)
	}
	// What was written without systemd.unit is not read before it is told.
	if err := os.WriteFile(unitPath("t-reload.service", ""), []byte(service(1001)), 0o644); err != nil {
		t.Fatal(err)
	}
	if got := show(t, "t-reload"); !strings.HasSuffix(got, "yes") {
		t.Fatalf("systemd does not see that the file has changed: %q", got)
	}
	f.run(units(map[string]string{"text": service(1001)}) + `test.equal(systemd.unit("t-reload", text).changed, True)`).Want(events.Succeeded)
	if got := show(t, "t-reload"); !strings.HasSuffix(got, "no") {
		t.Errorf("systemd was not told: %q", got)
	}
	f.run("systemd.daemon_reload()\nsystemd.restart(\"t-reload\")").Want(events.Succeeded)
	if got := command(t, "t-reload"); got != "/bin/sleep 1001" {
		t.Errorf("it runs %s", got)
	}
}

func testDrift(t *testing.T) {
	body := units(map[string]string{"text": service(1000)}) + `
systemd.unit("t-drift", text)
systemd.enable("t-drift")
systemd.start("t-drift")
`
	for what, change := range map[string]func(){
		"it ran, and does not any more": func() { systemctl(t, "stop", "t-drift") },
		"its links have changed":        func() { systemctl(t, "disable", "t-drift") },
		"its file has changed": func() {
			if err := os.WriteFile(unitPath("t-drift.service", ""), []byte(service(5)), 0o644); err != nil {
				t.Fatal(err)
			}
		},
		"": func() {},
	} {
		f := newFixture(t)
		before := machine(t)
		f.run(body).Want(events.Succeeded)
		change()
		if r := f.Rollback(); what != "" {
			r.Want(events.Refused).WantError("t-drift.service: " + what)
			r = f.ForceRollback()
			r.Want(events.Restored)
		} else {
			r.Want(events.Restored)
		}
		same(t, "after the rollback", machine(t), before)
	}
}
