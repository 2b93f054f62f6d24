// Package docker is the family of builtins for the Docker engine of a machine: images, containers, networks and volumes.
//
//	docker.available(), docker.info()                    whether an engine answers, and what it is
//	docker.image(ref)                                    what an image is
//	docker.pull(ref, …), docker.push(ref, …)             brings one from, or to, a registry
//	docker.build(context, tag, …)                        builds one
//	docker.tag(source, ref), docker.remove_image(ref)    gives one a name, or takes it
//	docker.container(name), docker.containers(…)         what containers there are, and how they are
//	docker.run(name, image, …)                           has a container run as it is defined
//	docker.start(name), stop, restart, remove            one that is there
//	docker.wait_healthy(name, …)                         waits until one is healthy, and stays so
//	docker.logs(name, …), docker.stats(name)             what it has printed, and what it uses
//	docker.exec(name, argv, …)                           runs a command in one
//	docker.network(name, …), docker.remove_network(name)
//	docker.volume(name, …), docker.remove_volume(name)
//	docker.backup_volume(name, dst), docker.restore_volume(name, src)
//	docker.prune(images, keep, nameless, …)              removes old images, and what nobody's undo needs any more
//
// The engine is asked through its API (package engine); a preview only asks it, and only [control] and the writer of that
// package, which are to be had for a run's writer, change anything.
//
// # Going back
//
// A container cannot be changed, only replaced, so the old one is stopped, renamed and kept until the run cannot be undone
// any more; docker.prune removes it then. Undo brings back the very same, with the same id. Others clean up meanwhile, and
// `docker system prune` removes every container that does not run: so all about it, its networks and its image are kept in
// the run's directory as well, and an equal one is made of that if it is gone. What a container wrote outside of volumes is
// lost then, and a volume is not protected from `docker system prune --volumes`: docker.backup_volume is.
//
// A reference to an image leads to the old image again; see package engine for how that is kept.
//
//	args.go define.go definition.go              how a container is defined
//	run.go run_look.go run_apply.go lifecycle.go   having it run
//	container.go containers.go logs.go stats.go exec.go   looking at it, and into it
//	wait.go judge.go                             waiting until it is healthy
//	kept.go writer_container.go writer_again.go  going back to one
//	image.go pull.go push.go tag.go auth.go   images
//	build.go build_apply.go context.go dockerfile.go  building them
//	network.go                                   networks
//	volume.go volume_remove.go backup.go restore.go   volumes
//	writer_volume.go writer_volume_undo.go writer_helper.go tarfile.go   and what they hold
//	prune.go prune_choose.go                     cleaning up
//	users.go                                     who has what is to be removed
//	info.go needs.go overlay.go partial.go watched.go   what the others use
package docker

import (
	"cmp"
	"maps"
	"slices"

	"github.com/infrarun/infrarun/builtins/internal/dockerpolicy"
	"github.com/infrarun/infrarun/builtins/internal/engine"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// The kinds of undo records.
const (
	refKind       = "docker.ref"
	containerKind = "docker.container"
	newVolumeKind = "docker.new_volume"
	volumeKind    = "docker.volume"
	networkKind   = "docker.network"
)

// Family returns the builtins.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "docker",
		Doc: "The Docker engine of this machine: images, containers, networks and volumes. Nothing is done that is so already, and " +
			"undo brings back the containers that ran before. Who may use the engine is root on this machine: PERMISSIONS of kind " +
			"docker name the images, containers, networks and volumes that a recipe may reach, and, each by itself, what lets a " +
			"container out of its box: host-path:/PATH, privileged:NAME, capability:NAME, host-network, socket. What an image " +
			"does inside of that, and what a Dockerfile runs while it is built, is the business of who allows it.",
		Builtins: []*runtime.Builtin{
			availableBuiltin, infoBuiltin,
			imageBuiltin, pullBuiltin, buildBuiltin, tagBuiltin, removeImageBuiltin, pushBuiltin,
			containerBuiltin, containersBuiltin, runBuiltin, startBuiltin, stopBuiltin, restartBuiltin, removeBuiltin,
			waitHealthyBuiltin, logsBuiltin, statsBuiltin, execBuiltin,
			networkBuiltin, removeNetworkBuiltin, volumeBuiltin, removeVolumeBuiltin, backupBuiltin, restoreBuiltin, pruneBuiltin,
		},
		Undoers: map[string]runtime.Undoer{
			refKind:       engine.UndoOfRefs(),
			containerKind: runtime.UndoKind[containerUndo, containerLeft]{UndoFunc: undoContainer, DriftFunc: containerDrift},
			newVolumeKind: runtime.UndoKind[containerUndo, struct{}]{UndoFunc: undoContainer},
			volumeKind:    runtime.UndoKind[volumeUndo, struct{}]{UndoFunc: undoVolume},
			networkKind:   runtime.UndoKind[networkUndo, struct{}]{UndoFunc: undoNetwork},
		},
		Permissions: map[string]policy.Matcher{dockerpolicy.Kind: dockerpolicy.Matcher{}},
	}
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

// size is a number of bytes for people.
func size(n int64) string { return filesys.Bytes(n) }
