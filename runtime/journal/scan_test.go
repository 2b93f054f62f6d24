package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// milestone is a place where a record ends, and what the journal said then.
type milestone struct {
	end   int64
	state *State
}

// sample writes a journal with every kind of record, closed or not, and returns its bytes and its milestones.
func sample(t testing.TB, closed bool) ([]byte, []milestone) {
	t.Helper()
	dir := newRun(t)
	j := create(t, dir)
	var marks []milestone
	mark := func(err error) {
		t.Helper()
		must(t, err)
		marks = append(marks, milestone{j.size, j.State()})
	}
	mark(nil)
	mark(j.Intend(write("/a")))
	mark(j.Done(1, json.RawMessage(`{"mode":"0600"}`)))
	mark(j.Intend(write("/b"), run("make"), write("/c")))
	mark(j.Failed(2, "no space left"))
	mark(j.Withdraw(3, "cancelled"))
	mark(j.Undoing())
	mark(j.Undone(4, 2))
	mark(j.UndoFailed(1, "busy"))
	outcome := Unfinished
	if closed {
		outcome = Incomplete
	}
	mark(j.Close(outcome))
	data, err := os.ReadFile(filepath.Join(dir, filename))
	must(t, err)
	return data, marks
}

// A crash may leave any beginning of the file. Every record that is whole must survive, and appending go on there.
func TestCutAnywhere(t *testing.T) {
	data, marks := sample(t, true)
	dir := newRun(t)
	must(t, os.MkdirAll(dir, 0o700))
	for n := range len(data) + 1 {
		must(t, os.WriteFile(filepath.Join(dir, filename), data[:n], 0o600))
		want, whole := &State{}, int64(0)
		for _, m := range marks {
			if m.end <= int64(n) {
				want, whole = m.state, m.end
			}
		}
		s := reread(t, dir, want)
		if n > headerSize && s.Torn != (whole < int64(n) && n != headerSize) {
			t.Errorf("cut at %d: torn = %v, whole to %d", n, s.Torn, whole)
		}
		j, s, err := Open(dir)
		if err != nil {
			t.Fatalf("cut at %d: %v", n, err)
		}
		if want.begun && asJSON(t, s) != asJSON(t, want) {
			t.Errorf("cut at %d: opened as %s", n, asJSON(t, s))
		}
		must(t, j.Undoing(), j.Close(Incomplete))
		reread(t, dir, j.State())
		if t.Failed() {
			t.Fatalf("cut at %d of %d", n, len(data))
		}
	}
}

// Damage before the last record is never taken for a torn tail, whatever bit it hits.
func TestFlipAnywhere(t *testing.T) {
	for _, closed := range []bool{true, false} {
		data, marks := sample(t, closed)
		last := marks[len(marks)-2].end
		if !closed {
			last = marks[len(marks)-3].end // closing wrote no record
		}
		for i := range last {
			damaged := bytes.Clone(data)
			for _, b := range []byte{1, 2, 4, 8, 16, 32, 64, 128, data[i], ^data[i]} {
				if b == 0 {
					continue
				}
				damaged[i] = data[i] ^ b
				_, _, err := scan("j", damaged)
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || corrupt.File != "j" {
					t.Fatalf("closed %v, byte %d from %02x to %02x: error %v", closed, i, data[i], damaged[i], err)
				}
				if corrupt.Offset > i || corrupt.Reason == "" {
					t.Fatalf("byte %d: reported at %d, %q", i, corrupt.Offset, corrupt.Reason)
				}
			}
		}
	}
}

func TestTornOrCorrupt(t *testing.T) {
	closed, closedMarks := sample(t, true) // as data, and the record of the end
	data, marks := sample(t, false)
	end := len(data)
	whole := func(n int) int { return int(marks[n].end) } // end of record n
	patch := func(off int, b ...byte) []byte {
		d := bytes.Clone(data)
		copy(d[off:], b)
		return d
	}
	payload := func(json string) []byte {
		f, err := frame([]byte(json + "\n"))
		must(t, err)
		return append(bytes.Clone(data), f...)
	}
	length := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	last := whole(7) // where the last record begins
	tests := []struct {
		name string
		data []byte
		tail int    // where a torn tail begins, -1 if corrupt
		want string // part of the reason
	}{
		{"whole", data, end, ""},
		{"empty file", nil, 0, ""},
		{"zeros only", make([]byte, 4096), 0, ""},
		{"part of the header, then zeros", append(bytes.Clone(data[:9]), make([]byte, 99)...), 0, ""},
		{"zeros after the last record", append(bytes.Clone(data), make([]byte, 5000)...), end, ""},
		{"half a record, then zeros", append(bytes.Clone(data[:end-20]), make([]byte, 5000)...), last, ""},
		{"last record: checksum wrong", patch(end-3, 'X'), last, ""},
		{"last record: length too great", patch(last, length(1<<31)...), last, ""},
		{"garbage after the last record", append(bytes.Clone(data), "\x10\x00\x00\x00garbage that is no frame"...), end, ""},
		{"length points past the end, records follow", patch(whole(2), length(1<<20)...), -1, "whole records follow"},
		{"length points into a later record", patch(whole(2), length(200)...), -1, "whole records follow"},
		{"length over the limit, records follow", patch(whole(2), length(1<<31)...), -1, "impossible length"},
		{"length 0, records follow", patch(whole(2), length(0)...), -1, "impossible length"},
		{"synced record turned to zeros", zeroed(data, whole(2), whole(3)), -1, "safely on the disk"},
		{"unsynced record damaged, an unsynced one follows", damaged(data[:whole(5)], whole(3)+20), -1, "whole records follow"},
		{"unsynced record turned to zeros, an unsynced one follows", zeroed(data[:whole(5)], whole(3), whole(4)), whole(3), ""},
		{"unsynced record turned to zeros in a journal that was closed",
			zeroed(closed, int(closedMarks[7].end), int(closedMarks[8].end)), -1, "safely on the disk"},
		{"another file", []byte("#!/bin/sh\nexit 0\n"), -1, "does not begin as a journal"},
		{"shorter than a header, and no journal", []byte("hello"), -1, "does not begin as a journal"},
		{"header only", data[:headerSize], headerSize, ""},
		{"record is no JSON", payload(`{"type":`), -1, "not readable"},
		{"record of a type from nowhere", payload(`{"type":"surprise"}`), -1, `unknown type of record "surprise"`},
		{"second begin", payload(`{"type":"begin","meta":{}}`), -1, "begins only once"},
		{"status of no entry", payload(`{"type":"done","id":99}`), -1, "no entry 99"},
		{"entry out of order", payload(`{"type":"intend","entries":[{"id":9}]}`), -1, "rollback has begun"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s, n, err := scan("j", tt.data)
			if tt.tail < 0 {
				var corrupt *CorruptError
				if !errors.As(err, &corrupt) || !strings.Contains(err.Error(), tt.want) {
					t.Fatalf("error %v, want a *CorruptError with %q", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n != int64(tt.tail) || s.Torn != (tt.tail < len(tt.data)) || s.Cut != int64(len(tt.data)-tt.tail) {
				t.Errorf("whole to %d, torn %v, cut %d; want whole to %d of %d", n, s.Torn, s.Cut, tt.tail, len(tt.data))
			}
		})
	}
}

func damaged(data []byte, off int) []byte {
	data = bytes.Clone(data)
	data[off] ^= 1
	return data
}

func zeroed(data []byte, from, to int) []byte {
	data = bytes.Clone(data)
	clear(data[from:to])
	return data
}

// What another process did not sync is on the disk once the journal was opened, and the records after that say so.
func TestOpenSyncs(t *testing.T) {
	dir := newRun(t)
	j := create(t, dir)
	must(t, j.Intend(write("/a")), j.Done(1, nil), j.Close(Unfinished))
	size := j.size
	j, _, err := Open(dir)
	must(t, err, j.Undoing(), j.Close(Unfinished))
	data, err := os.ReadFile(filepath.Join(dir, filename))
	must(t, err)
	payload, _ := unframe(data[size:])
	var r record
	must(t, json.Unmarshal(payload, &r))
	if r.Type != recUndoing || r.Synced != size {
		t.Errorf("record %q says that %d bytes were synced, want %d", r.Type, r.Synced, size)
	}
}

func TestGapInIDsIsCorrupt(t *testing.T) {
	begin, err := frame([]byte(`{"type":"begin","meta":{}}` + "\n"))
	must(t, err)
	intend, err := frame([]byte(`{"type":"intend","entries":[{"id":2,"call":"x","class":"none"}]}` + "\n"))
	must(t, err)
	_, _, err = scan("j", bytes.Join([][]byte{header(), begin, intend}, nil))
	if err == nil || !strings.Contains(err.Error(), "entry 2 where 1 is next") {
		t.Errorf("error %v", err)
	}
}

func TestOpenLeavesCorruptFileAlone(t *testing.T) {
	data, _ := sample(t, true)
	data[headerSize+20] ^= 1
	dir := t.TempDir()
	path := filepath.Join(dir, filename)
	must(t, os.WriteFile(path, data, 0o600))
	_, _, err := Open(dir)
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || corrupt.File != path || corrupt.Offset != headerSize {
		t.Errorf("Open: %v", err)
	}
	if after, _ := os.ReadFile(path); !bytes.Equal(after, data) {
		t.Error("Open changed the file")
	}
}
