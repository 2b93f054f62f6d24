package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// JSON writes one event a line: the format of events.jsonl and of --output json. EVENTS.md
// describes the fields.
type JSON struct {
	out     io.Writer
	writing error // the first write that failed; nothing follows half a line
	coding  error // the first event that could not be encoded
}

// NewJSON returns a sink that writes to w. It does not close w.
func NewJSON(w io.Writer) *JSON { return &JSON{out: w} }

// Handle implements [Sink]. An error is kept for Close.
func (j *JSON) Handle(e Event) {
	if j.writing != nil {
		return
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line) // ends its output with a newline
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e); err != nil {
		if j.coding == nil {
			j.coding = fmt.Errorf("encode event %d (%s) as json: %w", e.Seq, e.Kind, err)
		}
		return
	}
	if _, err := j.out.Write(escapeUnsafe(line.Bytes())); err != nil {
		j.writing = fmt.Errorf("write event %d (%s) as json: %w", e.Seq, e.Kind, err)
	}
}

// Close returns the first error.
func (j *JSON) Close() error {
	if j.writing != nil {
		return j.writing
	}
	return j.coding
}

// escapeUnsafe writes what encoding/json leaves as it is but a terminal obeys (DEL, C1 and
// bidirectional controls) as \u escapes. Any such character is inside a string, so the value stays
// the same.
func escapeUnsafe(line []byte) []byte {
	if firstUnsafe(string(line)) < 0 {
		return line
	}
	var b bytes.Buffer
	for len(line) > 0 {
		r, size := utf8.DecodeRune(line)
		switch {
		case !unsafeRune(r):
			b.Write(line[:size])
		case r > 0xffff: // an invisible tag: JSON wants a surrogate pair
			high, low := utf16.EncodeRune(r)
			fmt.Fprintf(&b, `\u%04x\u%04x`, high, low)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		line = line[size:]
	}
	return b.Bytes()
}
