// Package redact keeps the secrets of a run out of everything that is written: terminal, log, journal, events,
// diffs, reports and errors.
//
// A [Set] holds the values. Whatever is about to leave the process goes through it: text through [Set.String],
// data through [Set.Any], a stream (the output of a command, say) through [Set.Writer]. Every occurrence is
// replaced by [Mark], and so is every occurrence of a usual encoding of it; encodings.go lists them.
//
// Secrets are found by value, not by the name of a field, so a value that a command prints by accident is found
// too. What cannot be found is a value that was cut up before it came here: redact first, then shorten.
//
// The package knows nothing of where secrets come from nor of who writes.
package redact

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

const (
	// Mark stands where a secret was.
	Mark = "[secret]"
	// MinLength is the least length of a secret, in bytes.
	MinLength = 6
	// minLine is the least length, in bytes, of one line of a secret that is looked for by itself.
	minLine = 8
)

// Set is the secrets of one run. It may be used by many goroutines at once, and nil is a valid empty set. As long
// as it is empty its methods return what they were given.
type Set struct {
	adding sync.Mutex
	// index is replaced, never changed, so that readers need no lock. All values are behind this pointer, so
	// that a Set printed with %v shows an address only.
	index atomic.Pointer[index]
}

// New returns an empty set.
func New() *Set { return &Set{} }

// Add makes value a secret from now on. Space around it does not count (a secret read from a file often ends in a
// newline), and of a value of several lines each line of at least 8 bytes is a secret too, because logs show
// lines. It refuses a value of under [MinLength] bytes and one that is a part of [Mark]. Its errors do not
// contain the value.
func (s *Set) Add(value string) error {
	trimmed := strings.TrimSpace(value)
	if len(trimmed) < MinLength {
		return fmt.Errorf("a secret of %d bytes is too short to be hidden: hiding it would hide ordinary text as well; use a value of at least %d bytes",
			len(trimmed), MinLength)
	}
	if strings.Contains(Mark, trimmed) {
		return errors.New("a secret that is a part of " + Mark + ", the mark that hides secrets, cannot be hidden; use another value")
	}
	values := []string{value, trimmed}
	for line := range strings.Lines(trimmed) {
		if line = strings.TrimSpace(line); len(line) >= minLine && !strings.Contains(Mark, line) {
			values = append(values, line)
		}
	}
	var patterns []string
	for _, v := range values {
		patterns = append(patterns, encodings(v)...)
	}
	s.adding.Lock()
	defer s.adding.Unlock()
	if old := s.index.Load(); old != nil {
		patterns = append(patterns, old.patterns...)
	}
	slices.Sort(patterns)
	s.index.Store(newIndex(slices.Compact(patterns)))
	return nil
}

// String returns text with every secret, plain or encoded, replaced by [Mark]. Secrets that overlap in text are
// replaced together.
func (s *Set) String(text string) string {
	ix := s.load()
	if ix == nil {
		return text
	}
	out, _, _ := ix.redact(text, 0, true)
	return out
}

// Contains reports whether a secret, plain or encoded, is in text.
func (s *Set) Contains(text []byte) bool {
	ix := s.load()
	return ix != nil && ix.contains(string(text))
}

// load returns the current index, nil if there are no secrets.
func (s *Set) load() *index {
	if s == nil {
		return nil
	}
	return s.index.Load()
}
