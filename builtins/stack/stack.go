// Package stack is the family of builtins for stacks of a swarm: the services of a compose file, on many machines.
//
//	stack.swarm()               whether this engine is of a swarm, and its nodes
//	stack.deploy(dir, …)        bring the services up or update them, wait until they are
//	stack.restart(name, …)      give services new tasks
//	stack.stop(name, …)         end the tasks of services
//	stack.remove(name, …)       take the services, networks, configs and secrets of a stack away
//	stack.status(name)          its services: replicas, image, update
//
// where … is files, name, env, env_files and profiles, as compose.up takes them.
//
// A project is read and judged as by the family compose. It becomes services by the engine's API, not by `docker stack
// deploy`: that reads an older form of the file, and ends with success when the swarm has gone back to the old services. The
// names and labels are those that it gives, so `docker stack ps` and the like know the stack. What a service of a swarm
// cannot have is refused, with the line where it stands, instead of being left out.
//
// What there is and what is wanted are compared as specifications ([normal]), so nothing depends on who made a service, a
// service without a difference is not touched, and a preview says which differences there are.
//
// # Going back
//
// The swarm goes back by itself one service at a time. Here the stack goes back as a whole: before anything changes, the
// specifications of all of its services are recorded, sealed, in the run's directory. If a service fails, or the swarm
// rolls it back, the undo puts every recorded specification back, and removes services, networks, configs and secrets that
// were made since. It looks at each first, so it is harmless twice, or for nothing. How often a service was restarted
// is no part of its specification here: a restart that has come up is nothing to take back.
//
// The images of the old services must still be there. Those from a registry are named by digest, and the machines fetch them
// again. Those without are kept on this machine as package engine does it; on other machines whoever cleans up can take
// them.
//
// # Files
//
//	define.go define_service.go define_task.go define_mount.go   what a project is as services
//	define_file.go                    configs and secrets, and their names
//	network.go                        whether a network is as it is to be
//	image.go                          which content an image has
//	state.go                          what the swarm has
//	compare.go plan.go                what is to be done, and why
//	deploy.go deploy_probe.go         the builtin deploy
//	writer.go writer_object.go        making and updating
//	watch.go judge.go failure.go      waiting, and what went wrong
//	record.go undo.go restore.go      the record and the undo
//	lifecycle.go                      the builtins restart and stop
//	remove.go status.go               the other builtins
//	overlay.go                        what a preview predicts
//
// The package knows no other family. Reading a project is in package composefile, the engine in package engine.
package stack

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/composefile"
	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the family stack.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "stack",
		Doc: "Docker Swarm: the services of a compose file on many machines. They are updated as the file says, and watched; if one " +
			"of them fails, the whole stack goes back.",
		Builtins: []*runtime.Builtin{swarmBuiltin, deployBuiltin, restartBuiltin, stopBuiltin, removeBuiltin, statusBuiltin},
		Undoers: map[string]runtime.Undoer{
			restoreKind: runtime.UndoKind[restoreArgs, left]{UndoFunc: restoreUndo, DriftFunc: restoreDrift},
		},
		Permissions: map[string]policy.Matcher{dockerpolicy.Kind: dockerpolicy.Matcher{}},
	}
}

// project is the reading of compose files, which is shared.
type project = composefile.Project

// nameArgs name a stack that is there.
type nameArgs struct {
	Name string `arg:"name" doc:"the stack's name"`
}

// need is the permission for a stack as a whole.
func need(name string) policy.Need { return dockerpolicy.Need("stack", name) }

// checkName refuses what is no name of a stack.
func checkName(name string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("%q is no name of a stack: it is made of small letters, digits, - and _", name)
	}
	return nil
}

// errNoManager says that the engine cannot be asked about services.
var errNoManager = errors.New("this engine is not a manager of a swarm: `docker swarm init` makes it one, for a single machine too; " +
	"on a worker nothing can be deployed")

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
