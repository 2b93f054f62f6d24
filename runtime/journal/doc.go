// Package journal remembers, through a crash, how to undo what a run has changed.
//
// A run that is about to change something first writes an [Entry]: what will change, and the [Undo] that
// puts it back. [Journal.Intend] returns when that is on the disk, and only then is the change made. So at
// whatever moment the process dies, or the power fails, every change that may have been made is in the
// journal. It may hold one more that was never made: an undo looks before it acts.
//
//	j, err := journal.Create("runs/7", journal.Meta{Run: "7"})  // first record, durable
//	blob, err := j.Keep(old, journal.KeepOptions{})             // what the change would destroy
//	err = j.Intend(&journal.Entry{...})                         // durable before it returns
//	...                                                         // make the change
//	err = j.Done(id, after)                                     // cheap: not synced
//	err = j.Close(journal.Committed)
//
// To roll back, in this process or another one:
//
//	j, state, err := journal.Open("runs/7")                     // cuts off what a crash left half written
//	err = j.Undoing()
//	for _, e := range state.Pending() {                         // newest first
//		...                                                     // carry out e.Undo
//		err = j.Undone(e.ID)                                    // or j.UndoFailed(e.ID, why)
//	}
//	err = j.Close(journal.RolledBack)
//
// [Read] looks without changing anything.
//
// # On disk
//
// A run directory holds the file "journal", described in FORMAT.md beside this source, and the directory
// "blobs", in which [Blobs] keeps file contents: named by their hash, or encrypted ("sealed") where they are
// secret. The rest of that directory belongs to others.
//
// # What it must not know
//
// The package records; it decides nothing. It does not know what an undo kind means, carries none out, takes
// no lock (the caller sees to it that a run has one writer) and imports nothing of infrarun but failpoint. Undo
// records are data, so that another process, perhaps a later version, can read them.
//
// What is written here stays: text that may hold a secret (messages, targets, undo arguments) must be redacted
// or sealed by the caller. JSON replaces bytes that are not UTF-8, so a path that may hold such must be encoded
// before it becomes an argument.
//
// # Files
//
//	entry.go     what a run writes: Meta, Entry, Undo, Outcome
//	state.go     what a journal says: State, Pending, and which record may follow which
//	record.go    one record as JSON
//	frame.go     header and frames: the bytes
//	scan.go      reading them back: torn tail or corruption
//	journal.go   appending
//	open.go      Create, Open, Read
//	blob.go batch.go seal.go    contents: kept, kept many at once, kept secret
//	fingerprint.go   what makes a content known again under the same key
//	durable.go writeback_*.go   directories that survive a power cut, files that reach the disk early
//	errors.go    what a reader can meet: corruption, another version
package journal
