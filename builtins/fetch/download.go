package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/reach"
	"github.com/infrarun/infrarun/runtime/events"
	"github.com/infrarun/infrarun/runtime/policy"
)

// download is getting one URL.
type download struct {
	dst     string // the absolute path of what is to be there in the end
	url     *url.URL
	at      reach.Address
	shown   string // the URL without secrets
	sum     sum
	timeout time.Duration
	retries int
	need    func(policy.Need) error // fails unless the recipe may reach an address
}

// teller is whom a download tells how it goes: a *runtime.Writer.
type teller interface {
	Progress(events.Bar)
	Output(stream, line string)
}

// How long is waited before another attempt: twice as long each time.
var (
	firstPause   = time.Second
	longestPause = time.Minute
)

// passingError is an error that may be gone when one tries again.
type passingError struct {
	err   error
	after time.Duration // how long the server asks to wait; 0: it does not say
}

func (p *passingError) Error() string { return p.err.Error() }
func (p *passingError) Unwrap() error { return p.err }

var errTimeout = errors.New("the time is up")

// into downloads into an empty file and verifies the sum.
func (d *download) into(ctx context.Context, f *os.File, tell teller) error {
	if err := d.repeat(ctx, f, tell); err != nil {
		return fmt.Errorf("download %s: %w", d.shown, err)
	}
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if err := d.sum.verify(ctx, io.NewSectionReader(f, 0, size)); err != nil {
		return fmt.Errorf("download %s: %w", d.shown, err)
	}
	return nil
}

// repeat tries until it succeeds, an error will not pass, or the attempts or the time are used up.
func (d *download) repeat(whole context.Context, f *os.File, tell teller) error {
	ctx, cancel := context.WithTimeoutCause(whole, d.timeout, errTimeout)
	defer cancel()
	transport := newTransport()
	defer transport.CloseIdleConnections()
	for n := 1; ; n++ {
		err := d.attempt(ctx, transport, f, tell)
		var passing *passingError
		switch {
		case err == nil:
			return nil
		case whole.Err() != nil:
			return context.Cause(whole)
		case ctx.Err() != nil && errors.Is(err, errTimeout):
			return fmt.Errorf("it was not done within %v; give it more time with timeout", d.timeout)
		case ctx.Err() != nil:
			return fmt.Errorf("it was not done within %v; at the end: %w", d.timeout, err)
		case !errors.As(err, &passing):
			return err
		case n > d.retries && n > 1:
			return fmt.Errorf("%w (attempt %d, the last)", err, n)
		case n > d.retries:
			return err
		}
		wait := min(max(firstPause<<min(n-1, 10), passing.after), longestPause)
		tell.Output("stderr", fmt.Sprintf("attempt %d: %v; the next in %v", n, err, wait))
		pause(ctx, wait) // the next attempt sees whether it was cut short
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// bar shows how far something has come, not too often.
type bar struct {
	tell  func(events.Bar)
	now   events.Bar
	shown time.Time
}

func newBar(tell func(events.Bar), what string, total int64) *bar {
	return &bar{tell: tell, now: events.Bar{What: what, Total: max(total, 0), Unit: "bytes"}}
}

func (b *bar) advance(n int64) {
	b.now.Current += n
	if time.Since(b.shown) > 100*time.Millisecond {
		b.shown = time.Now()
		b.tell(b.now)
	}
}

func (b *bar) done() {
	b.now.Done = true
	b.tell(b.now)
}
