package pkg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/runtime"
)

const (
	// undoWait is how long an undo waits for others that use the package manager.
	undoWait = 10 * time.Minute
	// undoTimeout is how long it may take to install again what was removed.
	undoTimeout = 30 * time.Minute
)

// undoInstall removes what an installation brought, or says what it keeps.
func undoInstall(ctx context.Context, w *runtime.Writer, args installUndo) error {
	m, err := managerNamed(args.Manager)
	if err != nil {
		return err
	}
	x := newWorker(w, m, undoWait)
	x.repair(ctx)
	now, err := x.installed(ctx)
	if err != nil {
		return err
	}
	before, err := x.readBefore(args)
	if err != nil {
		return err
	}
	came, err := x.broughtBy(args, before, now)
	if err != nil || len(came) == 0 {
		return err
	}
	if args.Keep && !w.Also(alsoPackages) {
		names := now.namesOf(m, came)
		w.Kept("the packages "+strings.Join(names, ", "), m.removal+" "+strings.Join(names, " "))
		return nil
	}
	return x.takeAway(ctx, came, before, now)
}

func (x *worker) readBefore(args installUndo) ([]entry, error) {
	r, err := x.w.Open(args.Before)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var before []entry
	if err := json.NewDecoder(r).Decode(&before); err != nil {
		return nil, fmt.Errorf("read what was installed before: %w", err)
	}
	return before, nil
}

// broughtBy returns what an installation brought and is still there.
func (x *worker) broughtBy(args installUndo, before []entry, now database) ([]entry, error) {
	text, err := os.ReadFile(args.Record)
	if errors.Is(err, fs.ErrNotExist) {
		return brought(before, now.entries), nil // it was broken off, or never began
	} else if err != nil {
		return nil, err
	}
	var came []entry
	if err := json.Unmarshal(text, &came); err != nil {
		return nil, fmt.Errorf("read what the run installed, from %s: %w", args.Record, err)
	}
	return slices.DeleteFunc(came, func(e entry) bool {
		return !slices.ContainsFunc(now.entries, func(n entry) bool { return n.key() == e.key() && n.there() })
	}), nil
}

// takeAway removes packages: with their configuration, unless that was there before. It is refused if others need them,
// which somebody else must have installed since.
func (x *worker) takeAway(ctx context.Context, packages, before []entry, now database) error {
	names := now.namesOf(x.manager, packages)
	if err := x.manager.onlyThese(ctx, x.looker(), names, true); err != nil {
		return fmt.Errorf("the packages that the run installed cannot all be removed: %w", err)
	}
	var purge, keepConfig []entry
	for _, e := range packages {
		if slices.ContainsFunc(before, func(b entry) bool { return b.key() == e.key() }) {
			keepConfig = append(keepConfig, e)
		} else {
			purge = append(purge, e)
		}
	}
	if len(keepConfig) > 0 {
		if err := x.remove(ctx, now.namesOf(x.manager, keepConfig), false); err != nil {
			return err
		}
	}
	if len(purge) > 0 {
		return x.remove(ctx, now.namesOf(x.manager, purge), true)
	}
	return nil
}

// undoRemove installs again what was removed.
func undoRemove(ctx context.Context, w *runtime.Writer, args removeUndo) error {
	m, err := managerNamed(args.Manager)
	if err != nil {
		return err
	}
	x := newWorker(w, m, undoWait)
	x.repair(ctx)
	now, err := x.installed(ctx)
	if err != nil {
		return err
	}
	var wanted []request
	for _, e := range args.Packages {
		wanted = append(wanted, request{e.Name, e.Version})
	}
	missing := now.missing(unpinned(wanted))
	if len(missing) == 0 {
		return nil
	}
	exact := slices.DeleteFunc(wanted, func(r request) bool {
		return !slices.ContainsFunc(missing, func(m request) bool { return m.name == r.name })
	})
	if err := x.reinstall(ctx, exact); err == nil || ctx.Err() != nil {
		return err
	}
	w.Warn("no source has %s any more; another version is installed", strings.Join(requestNames(exact), ", "))
	return x.reinstall(ctx, missing)
}

// unpinned are requests for any version.
func unpinned(requests []request) []request {
	out := make([]request, len(requests))
	for i, r := range requests {
		out[i] = request{name: r.name}
	}
	return out
}

func (x *worker) reinstall(ctx context.Context, requests []request) error {
	return x.run(ctx, undoTimeout, "install again", func(wait time.Duration) []string {
		return x.manager.install(installOptions{requests: requests, wait: wait, pin: x.manager.pin})
	})
}
