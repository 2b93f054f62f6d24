package systemd

import (
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

func testStatus(t *testing.T) {
	put(t, "t-stat.service", service(1000))
	f := newFixture(t)
	f.run(`
s = systemd.status("t-stat.service")
test.equal((s.name, s.load_state, s.active, s.sub), ("t-stat.service", "loaded", "inactive", "dead"))
test.equal((s.enabled, s.pid, s.since), ("disabled", 0, 0.0))
s = systemd.status("t-none")
test.equal((s.load_state, s.active, s.enabled, s.fragment_path), ("not-found", "inactive", "", ""))
systemd.start("t-stat")
s = systemd.status("t-stat")
test.equal((s.pid > 1, s.since > 1.7e9, len(s.invocation)), (True, True, 32))
`).Want(events.Succeeded)
	f.run(`systemd.status("/etc/systemd/system/t-stat.service")`).Want(events.Refused).WantError("is a path")
}

func testFailures(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	for what, c := range map[string]struct{ text, want string }{
		"exit status": {"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo the disk is gone >&2; exit 4'\n",
			"could not start it: its process ended with an error, exit status 4"},
		"last lines": {"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo the disk is gone >&2; exit 4'\n", "sh: the disk is gone"},
		"no user":    {"[Service]\nType=exec\nUser=t-nobody\nExecStart=/bin/sleep 1\n", "exit status 217: its User= does not exist"},
		"no directory": {"[Service]\nType=exec\nWorkingDirectory=/t-none\nExecStart=/bin/sleep 1\n",
			"exit status 200: its WorkingDirectory= is not there"},
		"no path": {"[Service]\nType=exec\nProtectSystem=strict\nReadWritePaths=/t-none\nExecStart=/bin/sleep 1\n", "exit status 226"},
		"signal":  {"[Service]\nType=oneshot\nExecStart=/bin/sh -c 'kill -KILL $$$$'\n", "its process was killed, signal 9"},
		"condition": {"[Unit]\nConditionPathExists=/t-none\n[Service]\nType=exec\nExecStart=/bin/sleep 1\n",
			"a condition in its file (Condition…= or Assert…=) is not met"},
		"assertion": {"[Unit]\nAssertPathExists=/t-none\n[Service]\nType=exec\nExecStart=/bin/sleep 1\n", "(Assert…=) is not met"},
		"start limit": {"[Unit]\nStartLimitBurst=1\nStartLimitIntervalSec=60\n[Service]\nType=oneshot\nExecStart=/bin/false\nRestart=on-failure\nRestartSec=0\n",
			"could not start it"},
		"not ready": {"[Service]\nType=notify\nTimeoutStartSec=1\nExecStart=/bin/sleep 100\n", "it was not ready in time"},
	} {
		t.Run(what, func(t *testing.T) {
			newFixture(t).run(units(map[string]string{"text": c.text})+"systemd.unit(\"t-fail\", text)\nsystemd.start(\"t-fail\")\n").
				Want(events.RolledBack).WantError("systemd.start: t-fail.service: ", c.want)
			same(t, what, machine(t), before)
		})
	}
	f.run(units(map[string]string{
		"need": "[Service]\nType=oneshot\nExecStart=/bin/false\n",
		"text": "[Unit]\nRequires=t-need.service\nAfter=t-need.service\n[Service]\nExecStart=/bin/sleep 1\n",
	}) + "systemd.unit(\"t-need\", need)\nsystemd.unit(\"t-fail\", text)\nsystemd.start(\"t-fail\")\n").
		Want(events.RolledBack).WantError("a unit that it needs failed: t-need.service")
	same(t, "after a dependency", machine(t), before)
	f.run(`systemd.start("t-none")`).Want(events.Refused).WantError("there is no unit t-none.service")
}

func testTimeout(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	f.run(units(map[string]string{"text": "[Service]\nType=notify\nExecStart=/bin/sleep 1000\n"}) +
		"systemd.unit(\"t-late\", text)\nsystemd.start(\"t-late\", timeout = 0.3)\n").
		Want(events.RolledBack).WantError("could not start it within 300ms: it is activating (start)")
	same(t, "after the rollback", machine(t), before)
}

func testWaitActive(t *testing.T) {
	f := newFixture(t)
	before := machine(t)
	unit := func(text string) string {
		return units(map[string]string{"text": text}) + "systemd.unit(\"t-wait\", text)\n"
	}
	// A service that crashes is active in between.
	f.run(unit("[Unit]\nStartLimitIntervalSec=0\n[Service]\nExecStart=/bin/sh -c 'sleep 0.3; echo boom; exit 5'\nRestart=always\nRestartSec=0\n")+
		"systemd.start(\"t-wait\")\nsystemd.wait_active(\"t-wait\", stable = 30)\n").
		Want(events.RolledBack).WantError("it was active for", "then it was started again (1 times so far)", "sh: boom")
	f.run(unit("[Service]\nExecStart=/bin/false\n") + "systemd.start(\"t-wait\")\nsystemd.wait_active(\"t-wait\", stable = 30)\n").
		Want(events.RolledBack).WantError("exit status 1")
	f.run(unit("[Service]\nType=notify\nExecStart=/bin/false\nRestart=always\nRestartSec=100\n") +
		"attempt(systemd.start, \"t-wait\")\nsystemd.wait_active(\"t-wait\", timeout = 0.5)\n").
		Want(events.RolledBack).WantError("it is activating (auto-restart) after 500ms")
	f.run(unit(service(1000)) + `systemd.wait_active("t-wait")`).Want(events.RolledBack).WantError("nothing starts it")
	f.run(unit(service(1000)) + "systemd.start(\"t-wait\")\ntest.equal(systemd.wait_active(\"t-wait\", stable = 0.5).restarts, 0)").
		Want(events.Succeeded)
	f.Rollback().Want(events.Restored)
	f.preview(unit(service(1000)) + `systemd.wait_active("t-wait")`).Want(events.Refused).WantError("nothing starts it")
	f.run(`systemd.wait_active("t-none")`).Want(events.Refused).WantError("there is no such unit")
	same(t, "after all", machine(t), before)
}

func testSecurity(t *testing.T) {
	hard := strings.Join([]string{
		"User=daemon", "NoNewPrivileges=yes", "ProtectSystem=strict", "ProtectHome=yes", "PrivateTmp=yes", "PrivateDevices=yes",
		"CapabilityBoundingSet=", "RestrictAddressFamilies=AF_INET", "SystemCallFilter=@system-service", "ProtectKernelTunables=yes",
		"ProtectKernelModules=yes", "ProtectControlGroups=yes", "RestrictNamespaces=yes", "ProtectClock=yes",
	}, "\n")
	f := newFixture(t)
	f.preview(units(map[string]string{"soft": service(1), "hard": service(1, hard)}) + `
s = systemd.security("t-sec", content = soft)
test.equal((s.exposure > 9.0, s.rating), (True, "UNSAFE"))
test.equal(s.findings[0].exposure >= s.findings[1].exposure, True)
test.equal(systemd.security("t-sec", content = hard).exposure < 4.0, True)
systemd.unit("t-sec", hard)
test.equal(systemd.security("t-sec").exposure < 4.0, True)
`).Want(events.WouldChange)
	put(t, "t-sec.service", service(1))
	f.run("test.equal(systemd.security(\"t-sec\").rating, \"UNSAFE\")").Want(events.Succeeded)
	f.run(`systemd.security("t-none")`).Want(events.Refused)
	f.run(`systemd.security("t-x.target")`).Want(events.Refused).WantError("is no service")
}

func testJournal(t *testing.T) {
	put(t, "t-log.service", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo \"<3>bad\"; echo \"<6>fine\"; printf \"\\\\xff\\\\n\"; exit 1'\n")
	f := newFixture(t)
	f.run(`
r = attempt(systemd.start, "t-log")
test.equal(r.ok, False)
bad = systemd.journal("t-log")
test.equal([e.message for e in bad if e.identifier == "sh"], ["bad"])
test.equal((bad[0].priority, bad[0].pid > 1, bad[0].time > 1.7e9), ("err", True, True))
all = systemd.journal("t-log", priority = "debug")
test.equal([e.message for e in all if e.identifier == "sh"][:2], ["bad", "fine"])
test.equal("Failed to start" in "".join([e.message for e in all]), True)
test.equal(len(systemd.journal("t-log", priority = "debug", lines = 1)), 1)
test.equal(systemd.journal("t-log", since = bad[-1].time + 100), [])
test.equal(len(systemd.journal("t-log", since = bad[0].time - 1)), len(bad))
test.equal(len(systemd.journal("t-log", since = "-1h")), len(bad))
test.equal(systemd.journal("t-none"), [])
`).Want(events.Succeeded)
	f.run(`systemd.journal("t-log", since = "no time")`).Want(events.Refused).WantError("read the journal")
	f.run(`systemd.journal("t-log", priority = "loud")`).Want(events.Refused).WantError("want one of emerg")
}
