package redact

import (
	"io"
	"sync"
)

// Writer redacts a stream. Only the bytes that could be the beginning of a secret are held back, until the bytes
// after them tell, so that a line of output is seen at once. It may be used by many goroutines at once.
type Writer struct {
	mu      sync.Mutex
	set     *Set
	to      io.Writer
	held    string // the tail that could be the beginning of a secret
	covered int    // how much of held belongs to a secret whose mark has been written
	err     error  // the first error of to; after it nothing more is written
}

// Writer returns a writer that redacts what it is given and passes it on to w. What is held back reaches w by
// [Writer.Close].
func (s *Set) Writer(w io.Writer) *Writer { return &Writer{set: s, to: w} }

// Write passes p on, redacted. A secret that is split over several calls is found. Its errors are those of the
// writer below, and stay.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return 0, w.err
	}
	ix := w.set.load()
	if ix == nil {
		n, err := w.to.Write(p)
		w.err = err
		return n, err
	}
	text := w.held + string(p)
	out, rest, covered := ix.redact(text, w.covered, false)
	w.held, w.covered = text[rest:], covered
	if w.emit(out); w.err != nil {
		return 0, w.err
	}
	return len(p), nil
}

// Flush writes what is held back. The stream is taken to end here: a secret of which one part was written before
// Flush and the rest after it is not found.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil || w.held == "" {
		return w.err
	}
	// Something is held, so there are secrets: a set only grows.
	out, _, _ := w.set.load().redact(w.held, w.covered, true)
	w.held, w.covered = "", 0
	w.emit(out)
	return w.err
}

// Close flushes. It does not close the writer below.
func (w *Writer) Close() error { return w.Flush() }

func (w *Writer) emit(out string) {
	if out != "" {
		_, w.err = io.WriteString(w.to, out)
	}
}
