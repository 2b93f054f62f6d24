package events

import (
	"slices"
	"sync"
)

// Collector keeps events in memory, for tests and for what needs a whole run at once. The zero value
// is ready; it is safe for concurrent use.
type Collector struct {
	mu     sync.Mutex
	events []Event
}

// Handle implements [Sink].
func (c *Collector) Handle(e Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.events = append(c.events, e)
}

// Close implements [Sink]; what was collected stays.
func (c *Collector) Close() error { return nil }

// Events returns the events of the given kinds, in order; all of them if no kind is given.
func (c *Collector) Events(kinds ...Kind) []Event {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found []Event
	for _, e := range c.events {
		if len(kinds) == 0 || slices.Contains(kinds, e.Kind) {
			found = append(found, e)
		}
	}
	return found
}

// Changes returns the changes that became as stated, in order; all that finished if no status is
// given.
func (c *Collector) Changes(statuses ...Status) []Change {
	var found []Change
	for _, e := range c.Events(ChangeFinished) {
		if e.Change != nil && (len(statuses) == 0 || slices.Contains(statuses, e.Change.Status)) {
			found = append(found, *e.Change)
		}
	}
	return found
}

// Outcome returns how the run ended; ok is false if it has not.
func (c *Collector) Outcome() (o Outcome, ok bool) {
	for _, e := range c.Events(RunFinished) {
		if e.Outcome != nil {
			o, ok = *e.Outcome, true
		}
	}
	return o, ok
}
