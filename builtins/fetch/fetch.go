// Package fetch is the family of builtins that download what a recipe knows the sum of.
//
//	fetch.file(url, dst, sum, mode = "0644", timeout = "15m", retries = 3) -> struct     a file
//	fetch.tree(url, dst, sum, strip = 0, executable = [], provides = [],
//	           timeout = "15m", retries = 3) -> struct                                   an archive, unpacked
//
// The sum is what is trusted; the server, a mirror and the way to them are not. So neither the scheme of a URL nor where it
// redirects to matters for what ends up on the disk, and what the sum does not cover counts for nothing (see walk.go).
//
// # What must stay true
//
//   - Nothing gets its name before its sum is verified and it is on the disk as a whole.
//   - A tree is replaced only if this package made it, which the record in it says, or if it is an empty directory.
//   - What is in an archive comes from anywhere, even if its sum is the wanted one. No entry is made outside of the
//     directory, or through a link, and no link leads out of it.
//   - The userinfo and the query of a URL may be secrets: they are not shown, journalled or sent on to where it redirects.
//
// The package must not know what is downloaded, nor where mirrors are.
//
//	args.go sum.go url.go           what is asked for: paths, sums and URLs
//	file.go                         fetch.file
//	tree.go tree_undo.go record.go  fetch.tree, taking it back, and what a tree was made from
//	download.go request.go          getting a URL: again and again, and once
//	format.go walk.go layout.go     reading an archive that nobody trusts, and where its entries go
//	writer_*.go                     what changes the disk
package fetch

import (
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
)

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "fetch",
		Doc: "Downloads of files and trees whose sum the recipe knows. What is downloaded gets its name only when the sum is " +
			"verified, and is there as a whole or not at all. A preview contacts nobody.",
		Builtins: []*runtime.Builtin{fileBuiltin(), treeBuiltin()},
		Undoers: map[string]runtime.Undoer{
			treeKind: runtime.UndoKind[treeUndo, []filesys.Left]{UndoFunc: undoTree, DriftFunc: treeDrift},
		},
	}
}
