// Package exec is the family of builtins that run commands.
//
//	exec.run(argv, cwd, env, stdin, timeout, user, check, read_only, preview, undo, creates, title)
//	                                     runs a command to its end
//	exec.result(stdout, stderr, code)    what a preview is to assume that a command gives
//	exec.which(name)                     the file that runs for a name
//
// A command is a list of arguments. It never goes through a shell unless the list names one.
//
// What a command changes nobody can know, so exec.run is a change whose undo is what its caller says:
// the command that takes it back, the paths that it creates, or nothing. How processes are started and
// ended is in package child.
//
//	run.go       the builtin and its arguments
//	change.go    a command that changes something
//	probe.go     one that is declared to change nothing; exec.which
//	creates.go   the paths that a command creates
//	undo.go      taking a command back
//	result.go    what a command gives, and what a preview takes for it
package exec

import (
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "exec",
		Doc: "Running commands. A command is a list of arguments and goes through no shell. Its output is shown as it " +
			"comes, and whatever it started is ended with it when the time is over or the run is stopped.",
		Builtins:    []*runtime.Builtin{run, which, result},
		Undoers:     map[string]runtime.Undoer{undoKind: runtime.UndoKind[undoArgs, struct{}]{UndoFunc: takeBack}},
		Permissions: map[string]policy.Matcher{"exec": policy.Commands{}},
	}
}
