package runtime

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/infrarun/infrarun/runtime/journal"
)

// DriftError is a machine that has changed since the run that is to be undone, or of which that cannot be told.
type DriftError struct {
	Run  string
	Lost []string // what differs, or why it cannot be told, a line each
	Also []string // what the rollback was asked for beyond the usual

	untold bool // nothing is known to differ
}

func (e *DriftError) Error() string {
	what := "the machine has changed"
	if e.untold {
		what = "it cannot be told whether the machine has changed"
	}
	return fmt.Sprintf("%s since run %s:\n  %s", what, e.Run, strings.Join(e.Lost, "\n  "))
}

// Hint says what to do about it.
func (e *DriftError) Hint() string {
	first := "look at the differences"
	if e.untold {
		first = "see to it that it can be told, and try again"
	}
	return fmt.Sprintf("%s; `%s --force` undoes the run all the same", first, rollbackCommand(e.Run, e.Also...))
}

// checkDrift compares the machine with what the run left. A path that a later change of the same run
// touched is compared once, with the last.
func (r *Run) checkDrift(ctx context.Context) error {
	var lost, untold, seen []string
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
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && !slices.ContainsFunc(untold, func(line string) bool { return strings.HasSuffix(line, ": "+err.Error()) }):
			untold = append(untold, fmt.Sprintf("%s: %s", e.Target, err))
		case err == nil && drift != "":
			lost = append(lost, fmt.Sprintf("%s: %s", e.Target, drift))
		}
	}
	if len(lost)+len(untold) > 0 {
		return &DriftError{r.id, append(lost, untold...), r.also, len(lost) == 0}
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
