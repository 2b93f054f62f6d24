// Package archive is the family of builtins that pack a directory into one file, and unpack it again.
//
//	archive.create(src, dst, exclude = [], level = 3) -> struct     packs a file or directory
//	archive.extract(path, dst) -> struct                            unpacks into a directory of its own
//	archive.list(path) -> list of struct                            what is in an archive
//	archive.verify(path) -> list of string                          what is wrong with one; empty if it is whole
//
// An archive is a tar file compressed with zstd, so `tar --zstd -xf` unpacks it where there is no infrarun. Its last
// entry is a manifest: the SHA-256 sum of every file, as sha256sum writes it. The same sums, and first that of the archive
// itself, stand in a file beside it:
//
//	app.tar.zst
//	app.tar.zst.sha256      sha256sum --ignore-missing -c app.tar.zst.sha256
//
// # What must stay true
//
//   - An archive under its own name is whole and on the disk. It never holds half a file: one that changes while it is read
//     is read again, and in the end is an error that names it.
//   - The same tree gives the same bytes: entries are sorted, and nothing but the tree goes into them.
//   - What is unpacked comes from anywhere. An archive is read to its end, and everything that archive.create never writes
//     is refused, before a single file is made. No entry is made through a link, wherever that leads.
//
// The package must not know what is backed up, nor how many archives are kept.
//
//	create.go plan.go               archive.create, and what there is to pack
//	writer_create.go writer_header.go writer_file.go
//	                                packing: the tree, its entries, and a file that may be changing
//	frames.go                       compressing on all processors
//	extract.go writer_extract.go writer_linux.go writer_other.go owners.go
//	                                archive.extract, making what an archive holds, and whose that is
//	scan.go accept.go reading.go    reading an archive that nobody trusts
//	list.go verify.go               archive.list, archive.verify
//	manifest.go                     the sums
//	xattr.go                        capabilities and other attributes of files
//	target.go                       which paths are meant
package archive

import (
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"github.com/infrarun/infrarun/runtime"
)

// Family returns the family.
func Family() *runtime.Family {
	return &runtime.Family{
		Name: "archive",
		Doc: "Archives of files and directories, as tar with zstd. An archive carries the sums of all that is in it, is " +
			"there as a whole or not at all, and is checked to its end before anything of it is unpacked.",
		Builtins: []*runtime.Builtin{createBuiltin(), extractBuiltin(), listBuiltin(), verifyBuiltin()},
		Undoers: map[string]runtime.Undoer{
			extractKind: runtime.UndoKind[extractUndo, struct{}]{UndoFunc: undoExtract},
		},
	}
}

func structOf(fields starlark.StringDict) starlark.Value {
	return starlarkstruct.FromStringDict(starlarkstruct.Default, fields)
}
