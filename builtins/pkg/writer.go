package pkg

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/child"
	"github.com/infrarun/infrarun/builtins/internal/filesys"
	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// updateTimeout is how long fetching the lists of packages may take.
const updateTimeout = 10 * time.Minute

// worker runs a package manager.
type worker struct {
	w       *runtime.Writer
	runner  *child.Runner
	manager *manager
	wait    time.Duration // for locks
}

// newWorker returns what changes packages, in exchange for a run's writer.
func newWorker(w *runtime.Writer, m *manager, wait time.Duration) *worker {
	w.Require()
	return &worker{w, child.NewRunner(w), m, wait}
}

// run waits for whoever uses the manager and runs a command of it. Argv is called with how long the manager may still wait
// by itself.
func (x *worker) run(ctx context.Context, timeout time.Duration, what string, argv func(wait time.Duration) []string) error {
	left, err := waitForLocks(ctx, x.manager.locks, x.wait, func(path, holder string) {
		x.w.Warn("waiting for %s, which holds %s, for up to %v", holder, path, x.wait)
	})
	if err != nil {
		return err
	}
	bar := events.Bar{What: what, Total: 100, Unit: "%"}
	command := argv(left)
	_, err = x.runner.Run(ctx, child.Spec{
		Argv: command, Env: x.manager.env, Timeout: timeout, Third: x.manager.progress != nil,
		Line: func(stream, line string) {
			if x.manager.progress != nil {
				if percent, doing, ok := x.manager.progress(line); ok {
					bar.Current, bar.What = int64(percent), what+": "+doing
					x.w.Progress(bar)
					return
				}
			}
			x.w.Output(stream, line)
		},
	})
	bar.Current, bar.What, bar.Done = 100, what, true
	x.w.Progress(bar)
	if err != nil {
		return fmt.Errorf("%s: %w", child.Quote(command), err)
	}
	return nil
}

// update fetches the lists of packages, and notes when.
func (x *worker) update(ctx context.Context, stamp string) error {
	if err := x.run(ctx, updateTimeout, "fetch the lists of packages", x.manager.update); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(stamp), 0o700); err != nil {
		return err
	}
	return os.WriteFile(stamp, nil, 0o600)
}

// repairTimeout is how long it may take to finish what was broken off.
const repairTimeout = 5 * time.Minute

// repair finishes what was broken off, by this run or by somebody else. That it fails is told: what is done next may help,
// or fails and says why.
func (x *worker) repair(ctx context.Context) {
	d, err := x.installed(ctx)
	if err != nil || !d.interrupted || x.manager.repair == nil {
		return
	}
	x.w.Warn("%s was broken off at its work; that is finished first", x.manager.name)
	argv := func(time.Duration) []string { return x.manager.repair }
	if err := x.run(ctx, repairTimeout, "finish what was broken off", argv); err != nil {
		x.w.Warn("%v", err)
	}
}

// install installs what is missing, records what that brought, and returns it.
func (x *worker) install(ctx context.Context, in *installing) ([]entry, error) {
	if in.refresh {
		if err := x.update(ctx, in.stamp); err != nil {
			return nil, err
		}
	}
	x.repair(ctx)
	err := x.run(ctx, in.args.Timeout.Duration, "install", func(wait time.Duration) []string {
		return x.manager.install(in.options(wait))
	})
	// Also if it failed or was stopped: half of it may be there, and the manager would refuse all work until that is finished.
	ctx = context.WithoutCancel(ctx)
	if err != nil {
		x.repair(ctx)
	}
	after, derr := x.installed(ctx)
	if derr != nil {
		return nil, errors.Join(err, derr)
	}
	came := brought(in.before, after.entries)
	if in.record != "" { // else a rollback does this, which is never rolled back
		err = errors.Join(err, x.record(in.record, came))
	}
	if err != nil {
		return came, err
	}
	x.tell(in, came, upgraded(in.before, after.entries))
	if missing := after.missing(in.requests); len(missing) > 0 {
		return came, fmt.Errorf("%s has ended well, but %s is not installed", x.manager.name, strings.Join(requestNames(missing), ", "))
	}
	return came, nil
}

// tell says what came with an installation.
func (x *worker) tell(in *installing, came, changed []entry) {
	fate := "a rollback keeps them"
	if in.args.Undo == "remove" {
		fate = "a rollback removes them"
	}
	x.w.Output("stdout", fmt.Sprintf("%d packages were installed, %s: %s", len(came), fate, strings.Join(entryNames(came), " ")))
	if len(changed) > 0 {
		x.w.Warn("for these packages others were upgraded, which a rollback does not undo: %s", strings.Join(entryNames(changed), " "))
	}
}

// looker is for looking at what the work has done.
func (x *worker) looker() looker {
	return looker{
		run:   x.runner.Run,
		open:  func(path string) (io.ReadCloser, error) { return os.Open(path) },
		names: namesIn,
	}
}

func namesIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, err
}

// installed reads what is installed now.
func (x *worker) installed(ctx context.Context) (database, error) {
	return x.manager.database(ctx, x.looker())
}

// record notes which packages were brought.
func (x *worker) record(path string, came []entry) error {
	text, err := json.Marshal(came)
	if err != nil {
		return err
	}
	return filesys.Writable(x.w).WriteFile(path, text, 0o600, filesys.Keep, filesys.Keep)
}

// remove removes packages.
func (x *worker) remove(ctx context.Context, names []string, purge bool) error {
	x.repair(ctx)
	err := x.run(ctx, updateTimeout, "remove", func(wait time.Duration) []string { return x.manager.remove(names, purge, wait) })
	if err != nil {
		x.repair(context.WithoutCancel(ctx))
	}
	return err
}
