package archive

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// reading shows how far the reading of an archive has come.
type reading struct {
	r     io.Reader
	bar   events.Bar
	show  func(events.Bar)
	shown time.Time
}

func newReading(r io.Reader, what string, size int64, show func(events.Bar)) *reading {
	return &reading{r: r, bar: events.Bar{What: what, Total: size, Unit: "bytes"}, show: show}
}

func (p *reading) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	p.bar.Current += int64(n)
	p.bar.Done = err == io.EOF && !p.bar.Done
	if p.bar.Done || time.Since(p.shown) > 100*time.Millisecond {
		p.shown = time.Now()
		p.show(p.bar)
	}
	return n, err
}

// faulty remembers an error of reading, to tell it from what is wrong with what was read, and ends with the context.
type faulty struct {
	ctx context.Context
	r   io.Reader
	err atomic.Pointer[error] // zstd reads ahead
}

func (f *faulty) Read(p []byte) (int, error) {
	err := context.Cause(f.ctx)
	n := 0
	if err == nil {
		n, err = f.r.Read(p)
	}
	if err != nil && err != io.EOF {
		f.err.Store(&err)
	}
	return n, err
}

// failure returns the error that occurred in reading, nil if none did.
func (f *faulty) failure() error {
	if err := f.err.Load(); err != nil {
		return *err
	}
	return nil
}
