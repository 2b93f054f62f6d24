package runtime

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
)

// Reader is what a probe may use. It has no method that changes anything.
type Reader struct{ task *task }

// World returns what this run has predicted (in a preview) or remembers of itself (in a run).
func (r *Reader) World() *World { return r.task.run.world }

// Preview reports whether later steps will see predictions instead of the machine.
func (r *Reader) Preview() bool { return r.task.run.preview() }

// Cache returns a directory under the state directory for what can be had again, such as mirrors of
// repositories. A preview may fill it: it is infrarun's own.
func (r *Reader) Cache() string { return r.task.run.state.Cache() }

// StateDir returns the state directory. Nothing but the kernel changes what is in it, apart from Cache.
func (r *Reader) StateDir() string { return r.task.run.state.Dir() }

// Undoable reports whether the run with this sign may still be rolled back: then what its undo needs must stay. See
// [Writer.Sign].
func (r *Reader) Undoable(sign string) bool { return r.task.run.state.signUndoable(sign) }

// Marker is the environment variable, as NAME=value, that every process of this run carries, so
// that a rollback in another process can find those that outlived it.
func (r *Reader) Marker() string { return r.task.run.marker() }

// Progress shows how far a long probe has come.
func (r *Reader) Progress(b events.Bar) {
	r.task.emit(events.Event{Kind: events.Progress, Progress: &b})
}

// Keeper keeps contents that a change is about to destroy, in the run's directory.
type Keeper struct{ task *task }

// World returns what the run remembers of itself.
func (k *Keeper) World() *World { return k.task.run.world }

// StateDir is as for [Reader]: what is kept is on its disk.
func (k *Keeper) StateDir() string { return k.task.run.state.Dir() }

// Keep stores what it reads, durably, and returns its name. Private contents, that is those that only
// their owner may read or that hold a secret of this run, are sealed.
func (k *Keeper) Keep(r io.Reader, private bool) (journal.Blob, error) {
	return k.task.run.journal.Keep(r, journal.KeepOptions{Seal: private})
}

// Secret reports whether a content holds a secret of this run, so that it must be sealed.
func (k *Keeper) Secret(content []byte) bool { return k.task.run.secrets.Contains(content) }

// TrashPath reserves a path in the run's directory to which a file or tree that is removed can be
// moved. Nothing is there, and nobody else is given it, in this process or in another.
func (k *Keeper) TrashPath() (string, error) { return k.task.run.trashPath() }

// trashPath returns a path that was never given before. That nothing is at one does not make it free: an undo
// record may name it, for something that was not moved there because the process was killed. What a rollback in
// another process then put there would pass for that.
func (r *Run) trashPath() (string, error) {
	dir := filepath.Join(r.dir, "trash")
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = syncDir(r.dir)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("make a place for what is removed: %w", err)
	}
	return filepath.Join(dir, rand.Text()), nil
}

// Writer is the right to change the machine. Only the door and a rollback mint one; a zero Writer
// is worthless.
type Writer struct {
	task   *task
	source string // what output is shown as coming from
	kept   []events.Kept
}

// Require panics if the writer was not minted by a run: a family calls it when it hands out a client
// that can change something.
func (w *Writer) Require() {
	if w == nil || w.task == nil || !w.task.run.mayChange() {
		panic("runtime: a client that changes the machine was asked for without a run's writer")
	}
}

// World returns what the run remembers of itself.
func (w *Writer) World() *World { return w.task.run.world }

// Marker is as for [Reader].
func (w *Writer) Marker() string { return w.task.run.marker() }

// RunID returns the run's name.
func (w *Writer) RunID() string { return w.task.run.id }

// Sign tells the run from those of all state directories: it is for what an undo needs and what stands where another
// state directory's runs see it as well, such as the images of an engine. It consists of digits, letters, dots and dashes.
func (w *Writer) Sign() string { return w.task.run.state.sign(w.task.run.id) }

// Discard reserves a path in the run's directory for what an undo takes away but must not lose, as
// [Keeper.TrashPath] does.
func (w *Writer) Discard() (string, error) { return w.task.run.trashPath() }

// Open reads a content that [Keeper.Keep] stored.
func (w *Writer) Open(b journal.Blob) (io.ReadCloser, error) { return w.task.run.journal.OpenBlob(b) }

// Also reports whether the operator asked a rollback to undo a thing that it otherwise leaves. A run's own rollback
// is asked for nothing.
func (w *Writer) Also(thing string) bool { return slices.Contains(w.task.run.also, thing) }

// Kept tells that an undo has left on purpose what a change brought, and with which command that can be removed. The
// change then does not count as undone. Only an undo calls it, and not from another goroutine.
func (w *Writer) Kept(what, remove string) {
	w.kept = append(w.kept, events.Kept{What: what, Remove: remove})
}

// Output shows a line that the work printed, on "stdout" or "stderr".
func (w *Writer) Output(stream, line string) {
	w.task.emit(events.Event{Kind: events.Output, Stream: stream, Source: w.source, Text: line})
}

// Progress shows how far the work has come.
func (w *Writer) Progress(b events.Bar) {
	w.task.emit(events.Event{Kind: events.Progress, Progress: &b})
}

// Warn tells the operator something that does not stop the work.
func (w *Writer) Warn(format string, args ...any) {
	w.task.emit(events.Event{Kind: events.Log, Level: "warn", Text: fmt.Sprintf(format, args...)})
}
