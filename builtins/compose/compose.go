// Package compose is the family of builtins for Docker Compose: a stack of services in a file.
//
//	compose.available()                 the Compose of this machine
//	compose.config(dir, …)              the resolved project
//	compose.build(dir, …, services)     build images from source
//	compose.pull(dir, …, services)      bring images from their registries
//	compose.up(dir, …, services)        bring the project up, wait until it is ready
//	compose.down(name)                  take all containers and networks of a project away
//	compose.ps(name)                    its containers
//	compose.logs(name, services)        what they printed
//
// where … is files, name, env, env_files and profiles.
//
// A project is read with the library that Compose itself is made of, resolved (variables, overrides, profiles, files with
// variables), compared with what the recipe may do, and written down as one file that needs no other. Exactly that file is
// given to the Compose that is there, version 1 or later, and only to bring up services that have changed: what has is
// decided here, by a label with the hash of a service's settings and by the image's id. Nothing depends on what Compose
// would do in its own dry run.
//
// # Going back
//
// Compose cannot go back: it removes a container before it makes the next one. So before anything changes, all that the
// engine says of the project's containers and networks is recorded, sealed, in the run's directory, and their images are
// kept ([engine.Client.KeepImage]). The undo makes lost containers again from that record through the engine's API, with
// the same names, settings, labels, networks and volumes, on the same images. It needs neither Compose nor the old files,
// works for projects that somebody else brought up, and for each container looks first whether it is there.
//
// # Files
//
//	project.go                                      a project: how it is read, and what it may ask for, is in package composefile
//	canonical.go simplify.go given.go copied.go     the resolved project as a file that every Compose reads
//	running.go plan.go differences.go services.go bound.go volumes.go   what there is, what is to be done, and why
//	cli.go available.go                             the Compose of this machine
//	up.go up_probe.go binds.go writer.go            bringing up
//	monitor.go judge.go                             watching containers come up
//	record.go                                       the record
//	restore.go restore_state.go remake.go again.go networks.go   the undo
//	down.go images.go pull.go ps.go config.go       the other builtins
//	build.go build_demand.go                        building, and what that may ask for
//	overlay.go                                      what a preview predicts
//
// The package knows no other family. What the engine is asked is in package engine, permissions in package dockerpolicy.
package compose

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Family returns the family compose.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "compose",
		Doc: "Docker Compose: stacks of services. A project is resolved, checked against the permissions, and brought up by the " +
			"Compose of this machine; a failed run brings the old containers back.",
		Builtins: []*runtime.Builtin{
			upBuiltin, downBuiltin, buildBuiltin, pullBuiltin, configBuiltin, psBuiltin, logsBuiltin, availableBuiltin,
		},
		Undoers: map[string]runtime.Undoer{
			restoreKind: runtime.UndoKind[restoreArgs, left]{UndoFunc: restoreUndo, DriftFunc: restoreDrift},
			imagesKind:  engine.UndoOfRefs(),
		},
		Permissions: map[string]policy.Matcher{dockerpolicy.Kind: dockerpolicy.Matcher{}},
	}
}

// nameArgs name a project that is there.
type nameArgs struct {
	Name string `arg:"name" doc:"the project's name"`
}

// need is the permission for a project as a whole.
func need(name string) policy.Need { return dockerpolicy.Need("compose", name) }

// checkName refuses what is no name of a project.
func checkName(name string) error {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
		return fmt.Errorf("%q is no name of a project: it is made of small letters, digits, - and _", name)
	}
	return nil
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
