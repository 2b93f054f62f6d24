package stack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/client"

	"github.com/infrarun/infrarun/runtime"
)

// restoreAttempts is how often a stack is put back if the engine goes away in the middle of that.
const restoreAttempts = 3

// restoreUndo puts a stack back as it was recorded, and waits until its tasks run again.
func restoreUndo(ctx context.Context, w *runtime.Writer, args restoreArgs) error {
	for n := 1; ; n++ {
		c, err := newControl(ctx, w)
		if err != nil {
			return err
		}
		err = c.putBack(ctx, args)
		c.Close()
		if err == nil || n == restoreAttempts || !away(err) {
			return err
		}
		w.Warn("stack %s: %v; once more", args.Stack, err)
	}
}

// away reports whether an error is that the engine, or the swarm behind it, does not answer at the moment.
func away(err error) bool { return client.IsErrConnectionFailed(err) || errdefs.IsUnavailable(err) }

func (c *control) putBack(ctx context.Context, args restoreArgs) error {
	content, err := c.Run.Open(args.Record)
	if err != nil {
		return fmt.Errorf("read the record of stack %s: %w", args.Stack, err)
	}
	defer content.Close()
	rec := &record{}
	if err := json.NewDecoder(content).Decode(rec); err != nil {
		return fmt.Errorf("read the record of stack %s: %w", args.Stack, err)
	}
	u := &restorer{control: c, rec: rec, args: args}
	if err := u.restore(ctx); err != nil {
		return err
	}
	var errs []error
	for _, kept := range args.held() {
		errs = append(errs, c.Release(ctx, kept))
	}
	return errors.Join(errs...)
}
