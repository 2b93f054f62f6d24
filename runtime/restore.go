package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/journal"
	"github.com/infrarun/infrarun/runtime/policy"
)

// Rollback undoes an earlier run in this process: one that was interrupted, or, if none was, the
// newest one that succeeded and changed something. Id names the run; "" means that one. Once it has
// begun it is not interrupted.
func (h *Host) Rollback(ctx context.Context, id string, opts Options) events.Outcome {
	r := &Run{host: h, mode: events.ModeRollback, recipe: &Recipe{host: h}, also: opts.Also}
	r.equip(opts)
	lock, err := r.state.Lock(Holder{PID: os.Getpid(), Run: "rollback " + id, Recipe: "rollback", Started: r.started})
	if err != nil {
		return r.refuse(ctx, err)
	}
	defer lock.Release()
	if err := r.takeUp(ctx, id, opts.Force); err != nil {
		r.leave()
		return r.refuse(ctx, err)
	}
	shown := r.rec.Run
	shown.Mode = events.ModeRollback
	r.emit(events.Event{Kind: events.RunStarted, Run: &shown})
	return r.finish(r.conclude(r.putBack(ctx, events.Restored), nil))
}

// takeUp finds the run and makes everything ready to undo it. It changes nothing.
func (r *Run) takeUp(ctx context.Context, id string, force bool) error {
	rec, err := r.state.toRollBack(id)
	if err != nil {
		return err
	}
	st, err := r.reopen(ctx, rec)
	if err != nil {
		return err
	}
	// Where a rollback has begun already, the machine differs from what the run left.
	if st.Outcome == journal.Committed && !force {
		if err := r.checkDrift(ctx); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := r.addFiles(); err != nil {
		return fmt.Errorf("open the files of run %s: %w", r.id, err)
	}
	return nil
}

// leave leaves the run as it was.
func (r *Run) leave() {
	if r.journal != nil {
		r.journal.Close(journal.Unfinished)
	}
	r.dir = ""
}

// reopen makes the run that left a record go on in this process: its journal, its sources, what it
// had declared.
func (r *Run) reopen(ctx context.Context, rec Record) (*journal.State, error) {
	r.id, r.dir, r.rec = rec.Run.ID, r.state.RunDir(rec.Run.ID), rec
	r.recipe.Name, r.recipe.Site = rec.Run.Recipe, rec.Run.Site
	j, st, err := journal.Open(r.dir)
	if err != nil {
		return nil, r.state.journalError(rec, err)
	}
	r.journal = j
	var g given
	if len(st.Meta.Args) > 0 { // else it was killed before it began, and there is nothing to undo
		if err := json.Unmarshal(st.Meta.Args, &g); err != nil {
			return nil, fmt.Errorf("journal of run %s: its parameters: %w", r.id, err)
		}
	}
	r.base = g.Dir
	roots, err := savedRoots(filepath.Join(r.dir, "sources"), g.Shown)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("the sources that run %s kept: %w", r.id, err)
	}
	src := newSources(roots...)
	r.recipe.loader = newLoader(r.host.reg, src)
	return st, r.restoreGuard(ctx, g, src)
}

// restoreGuard puts up the bounds that the run had, and those of today's policy.
func (r *Run) restoreGuard(ctx context.Context, g given, src *sources) error {
	if err := r.recipe.loadPolicy(ctx, ""); err != nil {
		return err
	}
	bounds := []*policy.Policy{r.recipe.policy}
	if g.Policy != "" {
		p, err := r.host.readPolicy(ctx, src, moduleID{policyKey, g.Policy})
		if err != nil {
			return fmt.Errorf("run %s: %w", r.id, err)
		}
		bounds = append(bounds, p)
	}
	declared, err := policy.Parse(r.host.reg.permissions, g.Permissions, g.Params)
	if err != nil {
		// What undoes changes asks no permission. Only functions that the recipe pushed do.
		r.emit(events.Event{Kind: events.Log, Level: "warn",
			Text: fmt.Sprintf("what run %s had declared in PERMISSIONS cannot be read, so its rollback functions may reach nothing: %v", r.id, err)})
	}
	r.guard = newGuard(declared, bounds...)
	return nil
}
