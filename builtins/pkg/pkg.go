// Package pkg is the family of builtins for the packages of the machine.
//
//	pkg.manager() -> string                          "apt", "dnf", "yum", "zypper" or "apk"
//	pkg.installed(name) -> string                    the installed version, "" if there is none
//	pkg.version_available(name) -> string            the version that would be installed, "" if there is none
//	pkg.check(names, timeout = "2m") -> list of string   what keeps missing packages from being installed
//	pkg.update(max_age = "1h") -> struct             fetches the lists of packages
//	pkg.install(names, update = True, recommends = True, undo = "keep", provides = []) -> struct
//	pkg.remove(names, purge = False) -> struct
//	pkg.add_repository(name, uri, key, suite = "", components = []) -> struct
//	pkg.mirror(uri, others = {}) -> struct           fetches packages from another place
//
// A package manager is a table of commands, paths and parsers (manager.go); what is done with it is the same for all.
//
// # What must stay true
//
//   - A preview runs only commands that look, with options under which they write no cache either. What is installed is
//     read from the manager's own database. Lists that pkg.check fetches lie in infrarun's cache until it is done.
//   - An install removes nothing. What it brings, dependencies included, is found by comparing the database before and
//     after, and is recorded when it is there; a rollback keeps or removes exactly that.
//   - Nothing is asked: a configuration file that was changed stays as it is.
//   - Whoever holds the manager's locks is waited for, by name and not for ever.
//
// The package must not know what packages are for, nor which mirrors there are: those are data of recipes.
//
//	manager.go apt.go rpm.go apk.go          the managers
//	database.go status.go                    what is installed, and reading it
//	apt_output.go rpm_output.go              what apt and rpm print
//	query.go update.go install.go remove.go  the builtins
//	repository.go mirror.go                  those for where packages are from
//	check.go check_output.go                 pkg.check
//	elsewhere.go writer_lists.go             lists of packages beside those of the machine
//	sources.go rpm_sources.go                the files that say so
//	lists.go                                 how old the lists are
//	overlay.go                               what a preview predicts
//	lock.go                                  who holds a lock
//	undo.go                                  what a rollback does about packages
//	writer.go writer_undo.go                 running the manager
package pkg

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/policy"
)

// permissionKind is the kind of permission that packages take: a package by its name, and for what is not a package
// "lists", "repository:NAME" and "mirror:HOST".
const permissionKind = "pkg"

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "pkg",
		Doc: "Packages of the machine, with whatever manages them: apt, dnf, yum, zypper or apk. In PERMISSIONS a package is " +
			"named by its name; beside those there are \"lists\", \"repository:NAME\" and \"mirror:HOST\". Who may install any " +
			"package is root: packages run scripts.",
		Builtins: []*runtime.Builtin{
			managerBuiltin(), installedBuiltin(), availableBuiltin(), updateBuiltin(), installBuiltin(), removeBuiltin(),
			repositoryBuiltin(), mirrorBuiltin(), checkBuiltin(),
		},
		Undoers: map[string]runtime.Undoer{
			installKind: runtime.UndoKind[installUndo, struct{}]{UndoFunc: undoInstall},
			removeKind:  runtime.UndoKind[removeUndo, struct{}]{UndoFunc: undoRemove},
		},
		Permissions: map[string]policy.Matcher{permissionKind: policy.Names{}},
	}
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}

func stringList(texts []string) *starlark.List {
	list := make([]starlark.Value, len(texts))
	for i, s := range texts {
		list[i] = starlark.String(s)
	}
	return starlark.NewList(list)
}
