package journal

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Meta says which run a journal belongs to. It is the first record.
type Meta struct {
	Run     string          `json:"run"`            // name of the run
	Recipe  string          `json:"recipe"`         // the recipe that it runs
	Version string          `json:"version"`        // version of the program that wrote it
	Started time.Time       `json:"started"`        //
	PID     int             `json:"pid"`            // of the process that started the run
	Args    json.RawMessage `json:"args,omitempty"` // parameters of the recipe, without secrets
}

// How far an undo goes, for [Entry.Class].
const (
	ClassExact        = "exact"        // to the byte: files, links, users, units
	ClassCompensating = "compensating" // to an equal state by another action: containers, processes
	ClassNone         = "none"         // not at all
)

// Entry is one change that is about to be made, with what undoes it.
type Entry struct {
	ID       uint64   `json:"id"`                 // assigned by Intend, from 1
	Step     string   `json:"step,omitempty"`     // step of the recipe that it belongs to
	Call     string   `json:"call"`               // "fs.write"
	Target   string   `json:"target,omitempty"`   // what it changes: "/etc/app.conf"
	Touches  []string `json:"touches,omitempty"`  // what else it changes, for the check for drift
	Position string   `json:"position,omitempty"` // file:line:column in the recipe
	Class    string   `json:"class"`              // ClassExact, ClassCompensating or ClassNone
	Undo     *Undo    `json:"undo,omitempty"`     // nil if Class is ClassNone, and only then
}

// Undo is what puts a change back. It is data, never a closure: another process carries it out, by looking up
// the kind.
type Undo struct {
	Kind string          `json:"kind"`
	Args json.RawMessage `json:"args,omitempty"`
	Note string          `json:"note,omitempty"` // for people: "restore 214 bytes, mode 0600"
}

// clone returns a copy that shares nothing the caller may change later.
func (e *Entry) clone() Entry {
	c := *e
	c.Touches = slices.Clone(e.Touches)
	if e.Undo != nil {
		c.Undo = &Undo{Kind: e.Undo.Kind, Args: slices.Clone(e.Undo.Args), Note: e.Undo.Note}
	}
	return c
}

// check reports why an entry must not be written. A promise to undo without the means would come to light only
// when a rollback needs it.
func (e *Entry) check() error {
	switch e.Class {
	case ClassExact, ClassCompensating:
		if e.Undo == nil {
			return fmt.Errorf("class %q without an undo", e.Class)
		}
	case ClassNone:
		if e.Undo != nil {
			return fmt.Errorf("class %q with an undo", e.Class)
		}
	default:
		return fmt.Errorf("unknown class %q", e.Class)
	}
	if e.Undo != nil && e.Undo.Kind == "" {
		return fmt.Errorf("undo without a kind")
	}
	return nil
}

// Outcome says how a run ended. It is written by [Journal.Close], which refuses one that the entries contradict.
type Outcome string

const (
	Unfinished Outcome = ""            // none was written, or a rollback has begun since: the run was interrupted, or goes on
	Clean      Outcome = "clean"       // nothing was changed
	Committed  Outcome = "committed"   // the changes stay
	RolledBack Outcome = "rolled back" // every change that can be undone was
	Incomplete Outcome = "incomplete"  // something is left to undo
)
