package child

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// maxLine is where a line without an end is ended, in bytes.
const maxLine = 64 << 10

// lineSplitter makes lines for people out of what a command prints: valid UTF-8, without the end of
// the line, and of a line that was written over several times (as progress bars are, with carriage
// returns) only what stood there at last.
type lineSplitter struct {
	emit    func(string)
	pending []byte
}

func (l *lineSplitter) write(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			l.add(b)
			return
		}
		l.add(b[:i])
		l.end()
		b = b[i+1:]
	}
}

// add appends to the line that is being made and ends it where it grows too long.
func (l *lineSplitter) add(b []byte) {
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
func (l *lineSplitter) end() {
	text := bytes.TrimRight(l.pending, "\r")
	text = text[bytes.LastIndexByte(text, '\r')+1:]
	l.emit(strings.ToValidUTF8(string(text), "�"))
	l.pending = l.pending[:0]
}

// flush emits a last line that has no end.
func (l *lineSplitter) flush() {
	if len(l.pending) > 0 {
		l.end()
	}
}

const (
	tailLines = 5
	tailWidth = 400 // bytes of a line
)

// tail is the last lines that say something, for an error.
type tail struct{ lines []string }

func (t *tail) add(line string) {
	line = strings.TrimSpace(line)
	if line == "" {
		return
	}
	if len(line) > tailWidth {
		// At a space: a part of a secret would not be found as one.
		line = line[:strings.LastIndexByte(line[:tailWidth], ' ')+1] + "…"
	}
	if len(t.lines) == tailLines {
		t.lines = append(t.lines[:0:0], t.lines[1:]...)
	}
	t.lines = append(t.lines, line)
}
