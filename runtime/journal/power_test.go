package journal

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// disk stands for a file on a disk that loses power: it can not be had otherwise. It calls moment at every point at
// which that may happen: after every write, before and after every sync.
type disk struct {
	data     []byte
	synced   int // how much of data is safe
	failSync error
	failPut  error
	moment   func()
}

func (d *disk) Write(p []byte) (int, error) {
	if d.failPut != nil {
		d.data = append(d.data, p[:len(p)/2]...)
		return len(p) / 2, d.failPut
	}
	d.data = append(d.data, p...)
	d.moment()
	return len(p), nil
}

func (d *disk) Sync() error {
	if d.failSync != nil {
		return d.failSync
	}
	d.synced = len(d.data)
	d.moment()
	return nil
}

func (d *disk) Close() error { return nil }

// afterPowerCut returns what may be left: of what was not synced, any sectors may be missing, and the file may be
// shorter.
func (d *disk) afterPowerCut(rnd *rand.Rand) []byte {
	left := append([]byte(nil), d.data...)
	for start := d.synced / sectorSize * sectorSize; start < len(left); start += sectorSize {
		if rnd.IntN(2) == 0 {
			continue
		}
		for i := max(start, d.synced); i < min(start+sectorSize, len(left)); i++ {
			left[i] = 0
		}
	}
	if rnd.IntN(2) == 0 {
		left = left[:d.synced+rnd.IntN(len(left)-d.synced+1)]
	}
	return left
}

// On whatever moment the power fails, the journal must be readable, and know every change that Intend has let pass,
// every undo that Undone has noted, and the outcome once Close has returned.
func TestPowerCutAnywhere(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	moments, torn := 0, 0
	for round := range 8 {
		var intended, undone int    // what the journal has confirmed
		var undoing, confirmed bool // likewise
		d := &disk{}
		d.moment = func() {
			moments++
			for range 10 {
				left := d.afterPowerCut(rnd)
				s, whole, err := scan("j", left)
				if err != nil {
					t.Fatalf("round %d, %d of %d bytes synced: %v", round, d.synced, len(d.data), err)
				}
				if s.Torn {
					torn++
				}
				back := 0
				for _, e := range s.Entries {
					if e.Status == Undone {
						back++
					}
				}
				if len(s.Entries) < intended || back < undone || undoing && !s.Undoing || whole < int64(d.synced) ||
					confirmed && s.Outcome != RolledBack {
					t.Fatalf("round %d: confirmed %d entries, %d undone; left %+v", round, intended, undone, s)
				}
			}
		}
		dir := newRun(t)
		must(t, os.MkdirAll(dir, 0o700))
		j := newJournal(dir, d, &State{})
		must(t, j.begin(testMeta))
		var id uint64
		for range 5 {
			batch := make([]*Entry, 1+rnd.IntN(4))
			for i := range batch {
				batch[i] = write("/" + strings.Repeat("d", rnd.IntN(600)))
			}
			must(t, j.Intend(batch...))
			intended += len(batch)
			for range batch { // not synced: they pile up
				id++
				must(t, j.Done(id, []byte(fmt.Sprintf("%q", strings.Repeat("x", rnd.IntN(800))))))
			}
		}
		must(t, j.Undoing())
		undoing = true
		for ; id > 0; id-- {
			if rnd.IntN(3) == 0 {
				must(t, j.UndoFailed(id, strings.Repeat("busy ", rnd.IntN(200))))
			}
			must(t, j.Undone(id))
			undone++
		}
		must(t, j.Close(RolledBack))
		confirmed = true
		d.moment()
	}
	if torn < moments {
		t.Errorf("only %d torn tails in %d moments: the test does not test", torn, moments)
	}
}

// After a failed write or sync nothing more is believed, even if the disk recovers; opening again finds the truth.
func TestWriteErrorsAreFinal(t *testing.T) {
	tests := []struct {
		name   string
		breaks func(d *disk, err error)
		want   string
	}{
		{"write", func(d *disk, err error) { d.failPut = err }, "append to journal"},
		{"sync", func(d *disk, err error) { d.failSync = err }, "sync journal"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := newRun(t)
			must(t, os.MkdirAll(dir, 0o700))
			d := &disk{moment: func() {}}
			j := newJournal(dir, d, &State{})
			must(t, j.begin(testMeta), j.Intend(write("/a")))
			tt.breaks(d, syscall.ENOSPC)
			e := write("/b")
			err := j.Intend(e)
			if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), tt.want) || e.ID != 0 {
				t.Fatalf("Intend: %v, ID %d", err, e.ID)
			}
			tt.breaks(d, nil)
			size := len(d.data)
			for _, again := range []error{j.Intend(write("/c")), j.Done(1, nil), j.Undoing(), j.Close(Committed)} {
				if again != err {
					t.Errorf("later call: %v, want the first error", again)
				}
			}
			if len(d.data) != size {
				t.Error("something was appended after the failure")
			}
			must(t, os.WriteFile(filepath.Join(dir, filename), d.data, 0o600))
			j, s, err := Open(dir)
			must(t, err)
			if len(s.Entries) < 1 || s.Entries[0].Target != "/a" {
				t.Errorf("entries: %+v", s.Entries)
			}
			must(t, j.Intend(write("/d")), j.Close(Committed))
			reread(t, dir, j.State())
		})
	}
}

// What must be durable is synced before the call returns; what need not be costs no sync.
func TestWhatIsSynced(t *testing.T) {
	d := &disk{moment: func() {}}
	dir := newRun(t)
	must(t, os.MkdirAll(dir, 0o700))
	j := newJournal(dir, d, &State{})
	tests := []struct {
		name    string
		do      func() error
		durable bool
	}{
		{"begin", func() error { return j.begin(testMeta) }, true},
		{"Intend", func() error { return j.Intend(write("/a"), write("/b"), write("/c")) }, true},
		{"Done", func() error { return j.Done(1, nil) }, false},
		{"Failed", func() error { return j.Failed(2, "") }, false},
		{"Withdraw", func() error { return j.Withdraw(3, "") }, false},
		{"Undoing", func() error { return j.Undoing() }, true},
		{"UndoFailed", func() error { return j.UndoFailed(1, "") }, false},
		{"Undone", func() error { return j.Undone(1, 2) }, true},
		{"Close", func() error { return j.Close(RolledBack) }, true},
	}
	for _, tt := range tests {
		before := len(d.data)
		must(t, tt.do())
		if len(d.data) == before {
			t.Errorf("%s wrote nothing", tt.name)
		}
		if got := d.synced == len(d.data); got != tt.durable {
			t.Errorf("%s: synced = %v, want %v", tt.name, got, tt.durable)
		}
	}
}
