package child

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/proc"
)

func TestDetachedProcessIsOnItsOwn(t *testing.T) {
	r := runner(t)
	out := filepath.Join(t.TempDir(), "out")
	log, err := os.Create(out + ".log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	id, err := r.Detach(sh("env >"+out+".new; mv "+out+".new "+out+"; exec sleep 600"), []string{"PATH=" + os.Getenv("PATH"), "ONLY=this"}, log)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Signal(id, syscall.SIGKILL)
	for {
		if _, err := os.Stat(out); err == nil {
			break
		}
	}
	text, err := os.ReadFile(out)
	if err != nil || !strings.Contains(string(text), "ONLY=this\n") || strings.Contains(string(text), "INFRARUN") || strings.Contains(string(text), "HOME=") {
		t.Errorf("environment = %q, %v", text, err)
	}
	s, err := proc.ReadStat(id.PID)
	if err != nil || s.Session != id.PID {
		t.Errorf("stat = %+v, %v, want a session of its own", s, err)
	}
	for fd, want := range []string{os.DevNull, log.Name(), log.Name()} {
		if to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", id.PID, fd)); err != nil || to != want {
			t.Errorf("file %d is %s, %v, want %s", fd, to, err, want)
		}
	}
	if _, err := r.Detach(Spec{}, nil, nil); err == nil {
		t.Error("nothing was detached without an error")
	}
	if _, err := r.Detach(Spec{Argv: []string{"/no/such"}}, nil, nil); err == nil {
		t.Error("what is not there was detached without an error")
	}
}

// A process that got the pid of one that ended is not ended in its place.
func TestSignalSparesAnother(t *testing.T) {
	r := runner(t)
	id, err := r.Detach(Spec{Argv: []string{"sleep", "600"}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Signal(proc.Identity{PID: id.PID, Start: id.Start - 1}, syscall.SIGKILL); err != nil {
		t.Error(err)
	}
	if !id.Alive() {
		t.Fatal("another process was ended")
	}
	gone := func() []proc.Identity {
		if id.Alive() {
			return []proc.Identity{id}
		}
		return nil
	}
	if _, err := r.End(t.Context(), time.Minute, gone(), gone); err != nil || id.Alive() {
		t.Errorf("End = %v, alive %v", err, id.Alive())
	}
	if err := r.Signal(id, syscall.SIGKILL); err != nil {
		t.Errorf("of one that has ended: %v", err)
	}
}
