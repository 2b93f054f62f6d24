package systemd

import (
	"context"
	"fmt"
	"time"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/failpoint"
)

// writer is a connection to systemd that can change what it runs.
type writer struct {
	*bus
	w *runtime.Writer
}

// newWriter opens a connection, in exchange for a run's writer.
func newWriter(ctx context.Context, w *runtime.Writer) (*writer, error) {
	w.Require()
	b, err := connect(ctx)
	if err != nil {
		return nil, err
	}
	return &writer{b, w}, nil
}

// reload has systemd read the files of its units anew.
func (x *writer) reload(ctx context.Context) error {
	if err := failpoint.Hit("systemd.before-reload"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return explainBus(ctx, x.conn.ReloadContext(ctx))
}

// resetFailed lets systemd forget that a unit failed, and how often. A unit that systemd does not know has not.
func (x *writer) resetFailed(ctx context.Context, unit string) {
	_ = x.conn.ResetFailedUnitContext(ctx, unit)
}

// hold keeps systemd from forgetting a unit that does not run, and with it why it does not, until the connection ends. An
// older systemd cannot.
func (x *writer) hold(ctx context.Context, unit string) {
	_ = x.raw.Object(managerName, managerPath).CallWithContext(ctx, manager+"RefUnit", 0, unit).Err
}

// link makes or removes the links of a unit.
func (x *writer) link(ctx context.Context, verb, unit string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	files := []string{unit}
	var err error
	switch verb {
	case enable:
		// Not by force: a link that leads to another unit is not replaced.
		_, _, err = x.conn.EnableUnitFilesContext(ctx, files, false, false)
	case disable:
		_, err = x.conn.DisableUnitFilesContext(ctx, files, false)
	case mask:
		_, err = x.conn.MaskUnitFilesContext(ctx, files, false, false)
	case unmask:
		_, err = x.conn.UnmaskUnitFilesContext(ctx, files, false)
	}
	return explainBus(ctx, err)
}

// lost is how often it is looked whether the connection is still there while a job is waited for.
const lost = time.Second

// job has systemd start, stop, restart or reload a unit, and waits until it has. The result is done, canceled, timeout,
// failed, dependency or skipped, or slow if it is not over in time: then systemd goes on with it.
func (x *writer) job(ctx context.Context, verb, unit string, timeout time.Duration) (result string, err error) {
	results := make(chan string, 1) // buffered: the library holds a lock while it sends
	begin := map[string]func(context.Context, string, string, chan<- string) (int, error){
		start: x.conn.StartUnitContext, stop: x.conn.StopUnitContext,
		restart: x.conn.RestartUnitContext, reload: x.conn.ReloadUnitContext,
	}[verb]
	asking, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if _, err := begin(asking, unit, "replace", results); err != nil {
		return "", explainBus(asking, err)
	}
	if err := failpoint.Hit("systemd.after-asking"); err != nil {
		return "", err
	}
	over := time.NewTimer(timeout)
	defer over.Stop()
	check := time.NewTicker(lost)
	defer check.Stop()
	for {
		select {
		case result := <-results:
			return result, nil
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-over.C:
			return slow, nil
		case <-check.C:
			if !x.conn.Connected() {
				return "", fmt.Errorf("the connection to systemd was lost while it was to %s %s", verb, unit)
			}
		}
	}
}
