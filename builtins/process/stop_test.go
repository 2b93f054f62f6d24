package process

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/infrarun/infrarun/runtime/events"
)

// Everything that a service has started ends with it: children, and what took a session of its own.
func TestStopEndsEverything(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "sleep 600 & setsid sleep 601 & (trap '' TERM; sleep 602) & touch ready; wait"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "all have begun", func() bool { return len(s.processes()) >= 5 })
	f.Run(`process.stop("s", DIR, timeout = 1)`).Want(events.Succeeded)
	wantGone(t, s)
}

// A service hears of its end once: a second SIGTERM means haste to some.
func TestStopAsksOnce(t *testing.T) {
	f := fixture(t)
	write(t, f, "app", "#!/bin/sh\ntrap 'echo asked >>asked' TERM\ntouch ready\nwhile ! test -e end; do sleep 0.05; done\n", 0o755)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["./app"], dir = DIR)`).Want(events.Succeeded)
	eventually(t, "it has begun", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	done := make(chan struct{})
	go func() {
		defer close(done)
		f.Run(`process.stop("s", DIR, timeout = 60)`)
	}()
	eventually(t, "it was asked", func() bool { _, err := os.Stat(f.Dir + "/asked"); return err == nil })
	write(t, f, "end", "", 0o644)
	<-done
	wantGone(t, s)
	if got := read(t, f.Dir+"/asked"); got != "asked\n" {
		t.Errorf("it was asked %d times", strings.Count(got, "\n"))
	}
}

func TestStopByForce(t *testing.T) {
	f := fixture(t)
	s := service{f.Dir, "s"}
	f.Run(`process.start("s", ["sh", "-c", "trap '' TERM; touch ready; while :; do sleep 1; done"], dir = DIR, stop_timeout = 1)`).Want(events.Succeeded)
	eventually(t, "it has begun", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	r := f.Run(`process.stop("s", DIR)`).Want(events.Succeeded)
	wantGone(t, s)
	if !slices.ContainsFunc(r.Events(), func(e events.Event) bool {
		return e.Kind == events.Log && e.Level == "warn" && strings.Contains(e.Text, "s did not end within 1s and was ended by force")
	}) {
		t.Error("nobody was told")
	}
	os.Remove(f.Dir + "/ready")
	f.Run(`process.restart("s", DIR)`).Want(events.Succeeded)
	eventually(t, "it has begun again", func() bool { _, err := os.Stat(f.Dir + "/ready"); return err == nil })
	if out, code := byHand(t, []string{"sh"}, s, "stop"); code != 0 || !strings.Contains(out, "by force") {
		t.Errorf("by hand = %d, %q", code, out)
	}
	wantGone(t, s)
}
