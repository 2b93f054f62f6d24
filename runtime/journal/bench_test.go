package journal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

// BenchmarkChange is what journalling costs one change: Intend, with its fsync, and Done.
func BenchmarkChange(b *testing.B) {
	j := create(b, newRun(b))
	for b.Loop() {
		e := write("/etc/app.conf")
		must(b, j.Intend(e), j.Done(e.ID, json.RawMessage(`{"mode":"0600"}`)))
	}
	must(b, j.Close(Committed))
}

// BenchmarkRead10000 reads the journal of a run with 5,000 changes: 10,000 records.
func BenchmarkRead10000(b *testing.B) {
	dir := newRun(b)
	j := create(b, dir)
	for i := range 5000 {
		e := write(fmt.Sprintf("/opt/app/releases/7/file-%d", i))
		must(b, j.append(&record{Type: recIntend, Entries: []Entry{withID(e, i+1)}}, false), j.Done(uint64(i+1), nil))
	}
	must(b, j.Close(Committed))
	b.SetBytes(j.size)
	for b.Loop() {
		if s, err := Read(dir); err != nil || len(s.Entries) != 5000 {
			b.Fatal(err)
		}
	}
}

func withID(e *Entry, id int) Entry {
	c := e.clone()
	c.ID = uint64(id)
	return c
}

// BenchmarkKeep500 compares keeping 500 files of 4 kB in one batch with keeping them one by one.
func BenchmarkKeep500(b *testing.B) {
	content := func(i int) *bytes.Reader {
		return bytes.NewReader(fmt.Appendf(bytes.Repeat([]byte("x=1234\n"), 600), "%d", i))
	}
	for _, seal := range []bool{false, true} {
		opts := KeepOptions{Seal: seal}
		b.Run(fmt.Sprintf("batch/seal=%v", seal), func(b *testing.B) {
			for b.Loop() {
				batch := NewBlobs(newRun(b), "").NewBatch()
				for i := range 500 {
					_, err := batch.Keep(content(i), opts)
					must(b, err)
				}
				must(b, batch.Sync())
			}
		})
		b.Run(fmt.Sprintf("single/seal=%v", seal), func(b *testing.B) {
			for b.Loop() {
				s := NewBlobs(newRun(b), "")
				for i := range 500 {
					_, err := s.Keep(content(i), opts)
					must(b, err)
				}
			}
		})
	}
}
