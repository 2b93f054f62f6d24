// Package lines takes in what a program prints, wherever it runs: a child of infrarun, a container, a build of the
// engine's. A [Splitter] makes lines for people of it, a [Text] keeps it for whoever parses it. Both are bounded.
package lines

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxLine is where a line without an end is ended, in bytes.
const maxLine = 64 << 10

// Splitter makes lines of what is written to it: valid UTF-8, without the end of the line, and of a line that was
// written over several times (as progress bars are, with carriage returns) only what stood there at last. It keeps no
// more than one line in memory, and ends one that grows too long.
type Splitter struct {
	Emit    func(string) // is called with each line
	pending []byte
}

// Write implements [io.Writer]. It never fails.
func (l *Splitter) Write(p []byte) (int, error) {
	for b := p; len(b) > 0; {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			l.add(b)
			break
		}
		l.add(b[:i])
		l.end()
		b = b[i+1:]
	}
	return len(p), nil
}

// add appends to the line that is being made and ends it where it grows too long.
func (l *Splitter) add(b []byte) {
	l.pending = append(l.pending, b...)
	for len(l.pending) > maxLine {
		at := cutAt(l.pending[:maxLine+1])
		rest := bytes.Clone(l.pending[at:])
		l.pending = l.pending[:at]
		l.end()
		l.pending = append(l.pending, rest...)
	}
}

// cutAt returns where to cut a text that is one byte too long: after a space if there is one in its last
// quarter, so that a secret is rarely cut in two, which could not be found any more; never in the
// middle of a character.
func cutAt(b []byte) int {
	at := len(b) - 1
	if space := bytes.LastIndexByte(b[:at], ' '); space >= at-at/4 {
		return space + 1
	}
	for at > len(b)-utf8.UTFMax && !utf8.RuneStart(b[at]) {
		at--
	}
	return at
}

// end emits the line.
func (l *Splitter) end() {
	text := bytes.TrimRight(l.pending, "\r")
	text = text[bytes.LastIndexByte(text, '\r')+1:]
	l.Emit(strings.ToValidUTF8(string(text), "�"))
	l.pending = l.pending[:0]
}

// Flush emits a last line that has no end.
func (l *Splitter) Flush() {
	if len(l.pending) > 0 {
		l.end()
	}
}
