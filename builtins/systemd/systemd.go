// Package systemd is the family of builtins for the services of a machine that systemd runs.
//
//	systemd.available()                                whether systemd runs this machine
//	systemd.status(unit)                               how a unit is
//	systemd.unit(name, content, drop_in)               installs a unit, or a drop-in for one
//	systemd.remove(name, drop_in)                      takes one away
//	systemd.enable(unit), systemd.disable(unit)        whether it starts at boot
//	systemd.mask(unit), systemd.unmask(unit)           whether it can be started at all
//	systemd.start(unit, timeout, ports)                starts a unit
//	systemd.stop(unit, timeout, ports)                 stops it
//	systemd.restart(unit, timeout, ports, unless_invocation)   stops and starts it
//	systemd.reload(unit, timeout)                      has it read its configuration anew
//	systemd.daemon_reload()                            has systemd read its units anew
//	systemd.wait_active(unit, timeout, stable)         waits until a unit runs, and stays so
//	systemd.journal(unit, since, priority, lines)      what a unit has logged
//	systemd.security(unit, content)                    how exposed a service is
//
// Systemd is asked over D-Bus; systemd-analyze and journalctl are run where D-Bus does not tell. Only [writer], which is to
// be had for a run's writer, changes anything. Whoever may install a unit is root: PERMISSIONS of kind systemd name units,
// with globs, and what such a unit may run is the business of who allows it.
//
// # Going back
//
// Undo goes backwards, so what makes a unit run again must not be undone before what it reads is back. The first change of
// a run that knows whether the unit ran is the one whose undo makes it run again, as the last; the undo of every later one
// only stops what it started. So systemd.unit puts the file back and restarts the unit if it ran, and was started anew
// since. And a recipe that changes what a service reads or runs, such as the link to a release, stops the service first
// and starts it afterwards: undone, it is stopped, the link is put back, and it is started as it was. Or, before it
// switches, it pushes a restart that is carried out only if there was one:
//
//	now = systemd.status("console")
//	if now.active == "active":
//	    rollback.push(systemd.restart, "console", unless_invocation = now.invocation)
//
// Units that systemd starts or stops along with one are put back with it. An undo looks first, and is harmless when the
// unit, or its file, is gone.
//
//	name.go                                     names of units
//	bus.go state.go                             asking systemd
//	look.go overlay.go                          what a preview predicts
//	status.go wait.go journal*.go security.go   the builtins that only look
//	unit*.go verify.go writer_copy.go reload.go   files of units
//	enable*.go links.go install.go              whether units start at boot
//	run.go running.go around.go undo.go         whether they run
//	writer.go explain.go                        what changes anything, and why that fails
package systemd

import (
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// The kinds of undo records.
const (
	unitKind   = "systemd.unit"
	linksKind  = "systemd.links"
	runKind    = "systemd.run"
	reloadKind = "systemd.daemon_reload"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "systemd",
		Doc: "Services that systemd runs: their files, whether they start at boot, and whether they run. Nothing is done that " +
			"is so already, and undo puts back files, links and what ran.",
		Builtins: []*runtime.Builtin{
			availableBuiltin, statusBuiltin, unitBuiltin, removeBuiltin,
			enableBuiltin, disableBuiltin, maskBuiltin, unmaskBuiltin,
			startBuiltin, stopBuiltin, restartBuiltin, reloadBuiltin, daemonReloadBuiltin,
			waitActiveBuiltin, journalBuiltin, securityBuiltin,
		},
		Undoers: map[string]runtime.Undoer{
			unitKind:   runtime.UndoKind[unitUndo, left]{UndoFunc: undoUnit, DriftFunc: driftOf[unitUndo]},
			linksKind:  runtime.UndoKind[linksUndo, left]{UndoFunc: undoLinks, DriftFunc: driftOf[linksUndo]},
			runKind:    runtime.UndoKind[runUndo, left]{UndoFunc: undoRun, DriftFunc: driftOf[runUndo]},
			reloadKind: runtime.UndoKind[struct{}, struct{}]{UndoFunc: undoReload},
		},
		Permissions: map[string]policy.Matcher{"systemd": policy.Names{}},
	}
}
