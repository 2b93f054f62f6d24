// Package filesys is the file system as a recipe sees it: read through what a preview has predicted,
// changed only in exchange for a run's writer, and put back to the byte.
//
//	Read(reader)      a View: the machine, with what the preview predicted on top
//	Predicted(world)  the Overlay: what a Change enters in Predict
//	Writable(writer)  a Writer: what a Change uses in Apply
//	KeepFile, UndoCreated, UndoMoved, KeepMeta …   what a Change returns from Undo
//	Undoers()         what carries those out; the family fs registers them
//
// It is shared by the families whose changes are files (fs, git, process …) and knows none of them, nor
// Starlark.
//
// # What must stay true
//
//   - The last component of a path is never followed if it is a symbolic link: a write replaces the link, a
//     removal takes the link away.
//   - A file under its own name is always whole: it is written under a temporary name beside it, synced and
//     renamed. The temporary name follows from the run's and the file's, so that an undo after a crash finds
//     and removes what was left.
//   - A file or tree that is taken away is renamed to the run's trash, or, from another file system, copied there
//     with everything it has. At each moment either the whole original or the whole copy is there.
//   - An undo looks before it acts. It may be carried out twice, or for a change that never happened. What it finds
//     in its way, and nobody journalled, goes to the run's directory and is never deleted.
//
// # Files
//
//	info.go view*.go walk.go         what a path names, reading it, going through trees and patterns
//	overlay.go node.go source.go     what a preview predicts: one tree over the machine
//	predict*.go                      entering predictions
//	writer*.go attrs.go              changing
//	keep.go state.go undo.go drift.go   what is kept for an undo, carrying it out, what has changed since
//	own.go                           what this run has made itself
//	needs.go                         the permission that a path takes, and the directory it must have
//	guard.go mounts.go space.go      what is never removed as a whole, what is mounted, how much room there is
//	accounts.go owner.go             users and groups, which a preview may predict as well
package filesys
