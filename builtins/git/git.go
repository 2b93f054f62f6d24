// Package git is the family git: what is in a repository, and putting a commit of it on the machine.
//
//	git.resolve(url, ref = "HEAD", token = "")                          the commit that a branch, tag or hash stands for
//	git.checkout(url, commit, dest, submodules = True, token = "")      writes the files of a commit to a new directory
//	git.describe(url, commit, token = "")                               names a commit by the nearest tag before it
//	git.log(url, old, new, limit = 50, token = "")                      the commits that new has and old has not
//	git.changed(url, old, new, token = "")                              the paths that differ between two commits
//	git.read(url, commit, path, default = None, token = "")             a file at a commit
//
// A url is https://host/path, ssh://user@host/path, user@host:path, or a path on this machine. Wherever a commit is
// wanted, whatever git.resolve understands will do.
//
// # Where repositories are read
//
// A repository on this machine is read where it is, work tree or bare, and nothing is written there; what is not
// committed is not seen. A remote one is mirrored in infrarun's cache (see mirror.go), by a preview as well: the
// mirror is infrarun's own. A branch or tag is always asked of the remote; a full hash that the mirror has is not.
//
// Programs are never started: git itself need not be installed. Of go-git the storage and the transports are used,
// but not the part that knows the transport which runs git-upload-pack. Hooks, filters, attributes, credential
// helpers and git's configuration play no part.
//
// # What is trusted
//
// Nothing in a repository is. Names in a tree that lead elsewhere are refused, a link is written but not followed, a
// remote repository cannot name a path of this machine as its submodule. Every file that is written is checked
// against its hash. A token goes to the host of the url only, only over https, and is in no URL, file or error. An ssh
// host must be in known_hosts. Redirects and submodules are subject to what the recipe declared, as is everything.
//
// # Files
//
//	source.go local.go mirror*.go opener.go        where repositories are
//	remote.go ssh.go fetch.go pack.go explain.go   talking to remote ones
//	repo.go parse.go refs.go unknown.go walk.go    reading one
//	resolve.go describe.go log.go changed.go read.go   the builtins that look
//	checkout.go load.go snapshot.go submodule.go treefs.go release.go writer*.go   git.checkout
package git

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "git",
		Doc: "Repositories: what is in them, and putting a commit on the machine. A url is https://host/path, " +
			"ssh://user@host/path, user@host:path, or a path of a repository on this machine. Remote repositories are " +
			"mirrored in infrarun's cache.",
		Builtins: []*runtime.Builtin{
			resolveBuiltin(), checkoutBuiltin(), describeBuiltin(), logBuiltin(), changedBuiltin(), readBuiltin(),
		},
		Undoers: map[string]runtime.Undoer{
			undoKind: runtime.UndoKind[undoArgs, release]{UndoFunc: undoCheckout, DriftFunc: drift},
		},
	}
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
