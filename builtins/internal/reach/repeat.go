package reach

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/infrarun/infrarun/runtime"
	"github.com/infrarun/infrarun/runtime/events"
)

// Plan says how often something is asked.
type Plan struct {
	Attempts int           // at most; 0: no bound but Deadline
	Interval time.Duration // from the end of one attempt to the next
	Deadline time.Duration // for all together; 0: none
}

// minInterval keeps a plan without an interval from keeping a processor busy.
const minInterval = 10 * time.Millisecond

// Repeat calls try until it succeeds or the plan is at its end; then it returns nil. Otherwise it returns the error of a
// try, which ends it at once, or why the run is to stop. The context of a try ends with the deadline (see [Cut]). The
// operator sees the reason of each that failed, if it gave one; what names what is asked.
func (p Plan) Repeat(c *runtime.Call, what string, try func(ctx context.Context, n int) (ok bool, reason string, err error)) error {
	ctx := c.Context()
	if p.Deadline > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, p.Deadline)
		defer cancel()
	}
	begin := time.Now()
	said := "" // the same reason again is no news
	for n := 1; ; n++ {
		ok, reason, err := try(ctx, n)
		if c.Context().Err() != nil {
			return context.Cause(c.Context())
		}
		last := n == p.Attempts || p.Deadline > 0 && time.Since(begin)+p.Interval >= p.Deadline
		if p.Attempts != 1 {
			if reason == said {
				reason = ""
			} else {
				said = reason
			}
			p.show(c, what, n, time.Since(begin), ok || err != nil || last, reason)
		}
		if ok || err != nil || last {
			return err
		}
		pause(ctx, max(p.Interval, minInterval)) // the next attempt sees whether it was cut short
	}
}

// Cut reports whether the deadline ended try n before it could find out anything that the try before it did not: what that
// one found is then the better reason.
func Cut(ctx context.Context, n int, ok bool) bool { return n > 1 && !ok && ctx.Err() != nil }

// show tells the operator about an attempt: how much of the time or of the attempts is used up, and why it failed, unless
// the reason is empty.
func (p Plan) show(c *runtime.Call, what string, n int, elapsed time.Duration, done bool, reason string) {
	bar := events.Bar{What: "waiting for " + what, Current: int64(n), Total: int64(p.Attempts), Unit: "attempts", Done: done}
	if p.Deadline > 0 {
		bar.Current, bar.Total, bar.Unit = seconds(elapsed), seconds(p.Deadline), "seconds"
	}
	if reason != "" {
		c.Emit(events.Event{Kind: events.Output, Stream: "stdout", Source: what, Text: fmt.Sprintf("attempt %d: %s", n, reason)})
	}
	c.Emit(events.Event{Kind: events.Progress, Progress: &bar})
}

func seconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }

// pause waits, at most until the context ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
