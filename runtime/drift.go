package runtime

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// DriftError is a machine that has changed since the run that is to be undone.
type DriftError struct {
	Run  string
	Lost []string // what differs, a line each
}

func (e *DriftError) Error() string {
	return fmt.Sprintf("the machine has changed since run %s:\n  %s", e.Run, strings.Join(e.Lost, "\n  "))
}

// Hint says what to do about it.
func (e *DriftError) Hint() string {
	return fmt.Sprintf("look at the differences; `%s --force` undoes the run all the same", rollbackCommand(e.Run))
}

// checkDrift compares the machine with what the run left. A path that a later change of the same run
// touched is compared once, with the last.
func (r *Run) checkDrift(ctx context.Context) error {
	var lost, seen []string
	reader := &Reader{&task{ctx: ctx, run: r}}
	for _, e := range r.journal.State().Pending() {
		touched := append([]string{e.Target}, e.Touches...)
		again := slices.ContainsFunc(touched, func(p string) bool {
			return slices.ContainsFunc(seen, func(s string) bool { return within(p, s) || within(s, p) })
		})
		seen = append(seen, touched...)
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
		return &DriftError{r.id, lost}
	}
	return nil
}

// within reports whether a path is dir or lies below it.
func within(p, dir string) bool {
	return p == dir || strings.HasPrefix(p, strings.TrimSuffix(dir, "/")+"/")
}
