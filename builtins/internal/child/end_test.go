package child

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

// stubborn is a command that ignores SIGTERM, as does what it starts, and tells when it is ready.
const stubborn = `trap '' TERM; sh -c 'while :; do sleep 1; done' & echo ready; while :; do sleep 1; done`

func TestTimeoutEndsEverything(t *testing.T) {
	s := sh("sleep 600 & echo started; sleep 600")
	s.Timeout = 200 * time.Millisecond
	_, err := runner(t).Run(t.Context(), s) // which checks that nothing is left
	var late *TimeoutError
	if !errors.As(err, &late) || late.After != s.Timeout {
		t.Fatalf("error = %v, want a TimeoutError", err)
	}
	if want := "not done after 200ms, so it was ended; a larger timeout gives it longer: started"; err.Error() != want {
		t.Errorf("error = %q, want %q", err, want)
	}
}

func TestCancellationEndsEverything(t *testing.T) {
	interrupted := errors.New("interrupted")
	for name, script := range map[string]string{
		"willing":                  "echo ready; sleep 600",
		"stubborn":                 stubborn,
		"with a group of its own":  "set -m; sleep 600 & echo ready; wait",
		"stopped by a stop signal": "echo ready; kill -STOP $$",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			s := sh(script)
			s.Line = func(_, line string) {
				if line == "ready" {
					cancel(interrupted)
				}
			}
			if _, err := runner(t).Run(ctx, s); !errors.Is(err, interrupted) {
				t.Errorf("error = %v, want the cause", err)
			}
			if _, err := runner(t).Run(ctx, sh("echo")); !errors.Is(err, interrupted) {
				t.Errorf("started after the cancellation: %v", err)
			}
		})
	}
}

// A daemon that a command leaves must neither be waited for for ever nor be ended with it.
func TestDaemonThatHoldsTheOutput(t *testing.T) {
	r := runner(t)
	got, err := r.Run(t.Context(), sh("setsid sleep 600 & echo $!"))
	if err != nil || !got.Left || strings.TrimSpace(got.Stdout) == "" {
		t.Fatalf("result = %+v, %v, want one that tells of what it left", got, err)
	}
	left := proc.WithEnv(r.marker)
	if len(left) != 1 {
		t.Fatalf("left = %v, want the daemon", left)
	}
	killed, err := r.End(t.Context(), time.Minute, left, func() []proc.Identity { return proc.WithEnv(r.marker) })
	if killed || err != nil {
		t.Errorf("End = %v, %v, want that SIGTERM was enough", killed, err)
	}
}
