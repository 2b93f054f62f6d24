package runtime

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/journal"
)

// DriftError is a machine that has changed since the run that is to be undone.
type DriftError struct {
	Run  string
	Lost []string // what differs, a line each
	Also []string // what the rollback was asked for beyond the usual
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("the machine has changed since run %s:\n  %s", e.Run, strings.Join(e.Lost, "\n  "))
}

// Hint says what to do about it.
func (e *DriftError) Hint() string {
	return fmt.Sprintf("look at the differences; `%s --force` undoes the run all the same", rollbackCommand(e.Run, e.Also...))
}

// checkDrift compares the machine with what the run left. A path that a later change of the same run
// touched is compared once, with the last.
func (r *Run) checkDrift(ctx context.Context) error {
	var lost, seen []string
	reader := &Reader{&task{ctx: ctx, run: r}}
	for _, e := range r.journal.State().Pending() {
		again := overlapping(touched(e), seen)
		seen = append(seen, touched(e)...)
		if again || e.Undo == nil {
			continue
		}
		u := r.host.reg.undoers[e.Undo.Kind]
		if u == nil {
			continue // reported when it is undone
		}
		drift, err := u.Drift(ctx, reader, e.Undo.Args, e.After)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		} else if err != nil {
			drift = err.Error()
		}
		if drift != "" {
			lost = append(lost, fmt.Sprintf("%s: %s", e.Target, drift))
		}
	}
	if len(lost) > 0 {
		return &DriftError{r.id, lost, r.also}
	}
	return nil
}

// touched lists what a change was about, most of it paths.
func touched(e journal.EntryState) []string { return append([]string{e.Target}, e.Touches...) }

// overlapping reports whether something of a is something of b, or lies in it, or has it in itself.
func overlapping(a, b []string) bool {
	return slices.ContainsFunc(a, func(p string) bool {
		return slices.ContainsFunc(b, func(q string) bool { return within(p, q) || within(q, p) })
	})
}

// within reports whether a path is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}
