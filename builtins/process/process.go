// Package process is the family of builtins that keep background processes running where no systemd does.
//
//	process.start(name, command, dir, cwd, env, env_file, log, ports, stop_timeout, user)
//	                                  has a command run in the background, supervised
//	process.stop(name, dir, timeout)  ends it
//	process.restart(name, dir)        ends it and starts it again, as it was defined
//	process.status(name, dir)         tells whether it runs, and how often it had to be started again
//
// # What is where
//
// A process has a name and a directory, which holds
//
//	<name>.sh           its start script: start, stop, restart, status and run, for a person without infrarun
//	<name>.json         its definition: what it was started with, and what that stood for then
//	<name>.environment  what stood in its env_file then; private
//	<name>.pid          its supervisor, the script's "run": pid and start time
//	<name>.state        what the supervisor knows of the command: its pid and start time, how often it was
//	                    started again, its last exit status
//	<name>.log          what it prints, unless another place is named
//
// The supervisor starts the command in a session of its own and starts it again when it fails, until that
// happens five times within a minute. It is detached from infrarun: it has none of its environment, files or
// locks, and not the run's marker, by which a rollback would take it for a leftover. Instead it and all
// that it starts carry INFRARUN_PROCESS=<dir>/<name>, by which they are found even if infrarun was killed
// before the pidfile was written.
//
// # Going back
//
// An undo starts what ran before. Its command may lead through a link that the same run has switched, and
// that is switched back only later, since undo goes backwards. So the file and the directory that the old
// process really ran from are journalled, and these are started, with what stood in its env_file then. What
// cannot be known is whether other files that the process reads were changed earlier in the run, and in place:
// a recipe that does so stops the process first, so that it is started again after they are back.
//
//	definition.go args.go   what to run
//	script.go script.sh     the start script
//	service.go find.go      its files, and who runs
//	overlay.go              what a preview predicts
//	start.go stop.go restart.go status.go   the builtins
//	probe.go                what a start finds
//	undo.go                 going back
//	writer.go wait.go       what starts and ends processes, and waits for them
package process

import "github.com/infrarun/infrarun/runtime"

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "process",
		Doc: "Supervised background processes, for machines without systemd. Each has a directory with a start script " +
			"that a person can use without infrarun. A process is told from another by pid and start time.",
		Builtins: []*runtime.Builtin{startBuiltin, stopBuiltin, restartBuiltin, statusBuiltin},
		Undoers: map[string]runtime.Undoer{
			startKind: runtime.UndoKind[undoArgs, left]{UndoFunc: goBack, DriftFunc: drift},
			stopKind:  runtime.UndoKind[undoArgs, left]{UndoFunc: goBack, DriftFunc: drift},
		},
	}
}

// The kinds of undo records. Both go back to what ran before; the journal tells them apart for people.
const (
	startKind = "process.start"
	stopKind  = "process.stop"
)
