package journal

import (
	"bytes"
	"encoding/json"
	"time"
)

// The types of record. FORMAT.md says which fields each has.
const (
	recBegin      = "begin"
	recIntend     = "intend"
	recDone       = "done"
	recFailed     = "failed"
	recWithdrawn  = "withdrawn"
	recUndoing    = "undoing"
	recUndone     = "undone"
	recUndoFailed = "undo-failed"
	recFinished   = "finished"
)

// record is the payload of one frame.
type record struct {
	Type string `json:"type"`

	// Synced is how many bytes of the file were known to be on the disk when this record was written. Damage
	// before that offset cannot be the trace of a power cut. See scanner.torn.
	Synced int64 `json:"synced,omitempty"`

	At      time.Time       `json:"at,omitzero"`       // undoing, finished
	Meta    *Meta           `json:"meta,omitempty"`    // begin
	Entries []Entry         `json:"entries,omitempty"` // intend
	ID      uint64          `json:"id,omitempty"`      // done, failed, withdrawn, undo-failed
	IDs     []uint64        `json:"ids,omitempty"`     // undone
	After   json.RawMessage `json:"after,omitempty"`   // done
	Error   string          `json:"error,omitempty"`   // failed, withdrawn, undo-failed
	Outcome Outcome         `json:"outcome,omitempty"` // finished
}

// encode returns the record as one line of JSON. The line end is for people: a journal can be read with less.
func (r *record) encode() ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}
