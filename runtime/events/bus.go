package events

import (
	"errors"
	"sync"
	"time"
)

// Sink receives every event of a run, in order, one at a time. An event is shared between sinks and
// must not be changed. A sink must not emit: the bus waits for it.
type Sink interface {
	Handle(Event)
	// Close writes what is still held back. No event follows.
	Close() error
}

// Redactor takes the secrets out of a text.
type Redactor interface{ String(string) string }

// Bus numbers, dates and redacts events and hands them to its sinks. It is safe for concurrent use:
// steps may run side by side.
type Bus struct {
	mu     sync.Mutex
	seq    uint64
	now    func() time.Time
	redact Redactor
	sinks  []Sink
}

// NewBus returns a bus that redacts by r, dates by now (time.Now if nil) and feeds the sinks.
func NewBus(r Redactor, now func() time.Time, sinks ...Sink) *Bus {
	if now == nil {
		now = time.Now
	}
	return &Bus{now: now, redact: r, sinks: sinks}
}

// Emit sends one event. No text leaves it unredacted: this is the only way to a sink.
func (b *Bus) Emit(e Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seq++
	e.Seq, e.Time = b.seq, b.now()
	if b.redact != nil {
		e = redacted(e, b.redact.String)
	}
	for _, s := range b.sinks {
		s.Handle(e)
	}
}

// Add lets a further sink receive what follows.
func (b *Bus) Add(s Sink) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sinks = append(b.sinks, s)
}

// Close closes every sink, also after one failed, and returns the errors joined. What is emitted
// later goes nowhere.
func (b *Bus) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, s := range b.sinks {
		errs = append(errs, s.Close())
	}
	b.sinks = nil
	return errors.Join(errs...)
}
