package runtime

import (
	"context"
	"encoding/json"
	"fmt"

	"go.starlark.net/starlark"

	"github.com/infrarun/infrarun/runtime/policy"
)

// Class says how far an undo goes.
type Class string

const (
	Exact        Class = "exact"        // byte for byte: files, links, users, units
	Compensating Class = "compensating" // an equal state by another action: processes, containers
	NoUndo       Class = "none"         // nothing can undo it
)

// Change is one thing that a recipe wants different about the machine. Every builtin that changes
// anything makes one and hands it to [Call.Do]; there is no other way to change anything.
//
// The door calls the methods in this order and at most once each: Describe, Probe, then in a preview
// Predict, in a run Undo and Apply.
type Change interface {
	// Describe says what is to be changed, without looking at the machine.
	Describe() Description
	// Probe looks at the machine, as far as the preview has predicted it, and changes nothing.
	Probe(ctx context.Context, r *Reader) (Finding, error)
	// Undo returns what will put the machine back, keeping contents that are about to be lost. It is
	// journalled before Apply is called. Nil where nothing can.
	Undo(ctx context.Context, k *Keeper) (*Undo, error)
	// Apply makes the change.
	Apply(ctx context.Context, w *Writer) (Applied, error)
	// Predict enters into the world what later probes of this preview must see, and returns what the
	// call evaluates to: the value a run would give, or one with [Unknown] parts.
	Predict(w *World) (starlark.Value, error)
}

// Description says what a change is about.
type Description struct {
	Call   string // fs.write
	Target string // /etc/app.conf
	Needs  []policy.Need
	Undo   Class
	// UndoNote explains the class where that helps: "stops the process, starts the old one".
	UndoNote string
	// Tree says that the change reaches all that lies below the targets of Needs, too.
	Tree bool
	// Touches are further paths that the change affects, besides Target, for the check for drift.
	Touches []string
}

// Finding is what a probe found.
type Finding struct {
	Needed  bool
	Summary string         // "create, 214 bytes, mode 0600"; for an unneeded change, why: "same content"
	Diff    string         // unified, for what has lines
	Assumed string         // what a preview takes for granted, listed at its end
	Value   starlark.Value // what the call evaluates to if nothing is needed; nil for None
}

// Applied is the effect of a change.
type Applied struct {
	Value starlark.Value // what the call evaluates to; nil for None
	// After is data about what the change left, for the check for drift before a later rollback.
	After any
}

// Undo is what puts a change back: a registered kind and arguments that encode to JSON, so that
// another process, later, can carry it out.
type Undo struct {
	Kind string
	Args any
	Note string
	// Touches are what the change affects besides what [Description.Touches] says, as far as only the probe found it.
	Touches []string
}

// Undoer carries out the undo records of one kind. See [UndoKind].
type Undoer interface {
	// Drift says how the machine differs from what the run left behind, "" if it does not. After is
	// what [Applied.After] was.
	Drift(ctx context.Context, r *Reader, args, after json.RawMessage) (string, error)
	// Undo puts back. It looks before it acts: the change may not have happened, or may have been
	// undone already.
	Undo(ctx context.Context, w *Writer, args json.RawMessage) error
}

// UndoKind is an [Undoer] whose arguments are of type A and whose [Applied.After] is of type B.
type UndoKind[A, B any] struct {
	UndoFunc  func(ctx context.Context, w *Writer, args A) error
	DriftFunc func(ctx context.Context, r *Reader, args A, after B) (string, error) // nil: never drifts
}

// Undo implements [Undoer].
func (k UndoKind[A, B]) Undo(ctx context.Context, w *Writer, args json.RawMessage) error {
	var a A
	if err := json.Unmarshal(args, &a); err != nil {
		return fmt.Errorf("undo record is unreadable: %w", err)
	}
	return k.UndoFunc(ctx, w, a)
}

// Drift implements [Undoer].
func (k UndoKind[A, B]) Drift(ctx context.Context, r *Reader, args, after json.RawMessage) (string, error) {
	if k.DriftFunc == nil || len(after) == 0 {
		return "", nil
	}
	var a A
	var b B
	if err := json.Unmarshal(args, &a); err != nil {
		return "", fmt.Errorf("undo record is unreadable: %w", err)
	}
	if err := json.Unmarshal(after, &b); err != nil {
		return "", fmt.Errorf("record of what the run left is unreadable: %w", err)
	}
	return k.DriftFunc(ctx, r, a, b)
}
