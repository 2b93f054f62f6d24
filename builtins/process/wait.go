package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/infrarun/infrarun/builtins/internal/ports"
	"github.com/infrarun/infrarun/builtins/internal/proc"
)

const (
	startPatience = 15 * time.Second // for a supervisor to start its command
	poll          = 5 * time.Millisecond
	shownLog      = 4 << 10 // bytes of a log that an error shows
)

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(poll):
		return nil
	}
}

// await waits until a supervisor that was just started has written its pidfile and its command runs, or
// has failed. A command that fails after it has begun is no error here: whether a service is healthy is for
// others to find out.
func (s service) await(ctx context.Context, supervisor proc.Identity) (found, error) {
	for deadline := time.Now().Add(startPatience); time.Now().Before(deadline); {
		ended := !supervisor.Alive() // before the files are read, since they are written before it ends
		f := s.find()
		switch f.state.Status {
		case "running":
			if f.supervisor == supervisor && begun(f) {
				return f, nil
			}
		case "waiting", "failed", "stopped":
			if why := neverRan[f.state.ExitCode]; why != "" {
				return f, errors.New(why)
			}
			return f, nil
		}
		if ended {
			return f, errors.New("its supervisor ended at once")
		}
		if err := pause(ctx); err != nil {
			return f, err
		}
	}
	return found{}, fmt.Errorf("it did not start within %v", startPatience)
}

// neverRan are the exit statuses with which shells and their helpers tell that there was nothing to run.
var neverRan = map[int]string{
	78:  "its environment file cannot be used",
	126: "its command cannot be executed",
	127: "its command cannot be executed: it, or the interpreter or loader that it names, is not there",
}

// begun reports whether the command itself runs by now, and not what leads to it: the supervisor's copy,
// setsid, setpriv.
func begun(f found) bool {
	command := proc.Command(f.command.PID)
	if len(command) == 0 || slices.Equal(command, proc.Command(f.supervisor.PID)) {
		return false
	}
	name := filepath.Base(command[0])
	return name != "setsid" && name != "setpriv"
}

// printedSince returns what was appended to a log, its end if it is much, as a part of an error.
func printedSince(log string, begin int64) string {
	f, err := os.Open(log)
	if err != nil {
		return ""
	}
	defer f.Close()
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		return ""
	}
	text := make([]byte, min(end-begin, shownLog))
	if n, err := f.ReadAt(text, end-int64(len(text))); err != nil && n == 0 {
		return ""
	}
	if end-begin > shownLog { // not from the middle of a line
		_, rest, _ := strings.Cut(string(text), "\n")
		text = []byte(rest)
	}
	printed := strings.TrimSpace(strings.ToValidUTF8(string(text), "�"))
	if printed == "" {
		return "; its log " + log + " says nothing"
	}
	return fmt.Sprintf("; its log %s says\n  %s", log, strings.ReplaceAll(printed, "\n", "\n  "))
}

// portPatience is how long the kernel has to give a port back after its last listener has ended.
const portPatience = 5 * time.Second

// awaitFree waits until nobody listens on the ports.
func awaitFree(ctx context.Context, freed []int) error {
	deadline := time.Now().Add(portPatience)
	for _, port := range freed {
		for {
			owner, taken, err := ports.Listener(port)
			if err != nil || !taken {
				break // it is free, or that cannot be known
			}
			if time.Now().After(deadline) {
				return fmt.Errorf("it has ended, but port %d is still taken by %s", port, nameOf(owner))
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// nameOf names whoever listens on a port.
func nameOf(o ports.Owner) string {
	if o.PID == 0 {
		return "somebody whom this user may not see"
	}
	return fmt.Sprintf("%s, process %d", o.Name, o.PID)
}
