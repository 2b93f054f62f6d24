package journal

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzRead gives the reader any bytes for a file. It may refuse them, with an error that says so; if it accepts
// them, what it calls whole must read the same again, without a torn tail.
func FuzzRead(f *testing.F) {
	f.Fuzz(func(t *testing.T, data []byte) { checkScan(t, data) })
}

// FuzzRecords gives the reader any lines as records, in good frames: the checksum hides what is behind it from
// FuzzRead.
func FuzzRecords(f *testing.F) {
	f.Fuzz(func(t *testing.T, lines []byte) {
		data := header()
		for line := range bytes.Lines(lines) {
			if rec, err := frame(line); err == nil {
				data = append(data, rec...)
			}
		}
		checkScan(t, data)
	})
}

func checkScan(t *testing.T, data []byte) {
	s, whole, err := scan("j", data)
	var corrupt *CorruptError
	var newer *VersionError
	if err != nil {
		if !errors.As(err, &corrupt) && !errors.As(err, &newer) {
			t.Fatalf("error of type %T: %v", err, err)
		}
		return
	}
	if whole+s.Cut != int64(len(data)) || s.Torn != (s.Cut > 0) {
		t.Fatalf("whole to %d and %d cut, of %d bytes, torn %v", whole, s.Cut, len(data), s.Torn)
	}
	again, n, err := scan("j", data[:whole])
	if err != nil || n != whole || again.Torn || asJSON(t, again) != asJSON(t, s) {
		t.Fatalf("read again: %v, whole to %d instead of %d", err, n, whole)
	}
	for _, e := range s.Pending() {
		if e.ID == 0 || e.ID > uint64(len(s.Entries)) || s.Entries[e.ID-1].ID != e.ID {
			t.Fatalf("pending entry %d of %d", e.ID, len(s.Entries))
		}
	}
}
