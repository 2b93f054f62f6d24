package runtime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/infrarun/infrarun/runtime/events"
)

// markerName is in the environment of every process that a run starts.
const markerName = "INFRARUN_RUN"

// marker names the run by its directory: two state directories can have runs of the same name, and neither
// may end the processes of the other.
func (r *Run) marker() string { return markerName + "=" + r.state.RunDir(r.id) }

// orphanPatience is how long a process has to end, once asked and once killed. It is a variable only
// so that tests need not wait.
var orphanPatience = 5 * time.Second

const orphanPoll = 20 * time.Millisecond

// endProcesses ends the commands of this run that are still running: when infrarun is killed its lock
// is free, but a build or a package manager that it started goes on changing things. When it returns
// nil there are none.
func (r *Run) endProcesses(ctx context.Context) error {
	marker := []byte(r.marker())
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		pids := marked(marker)
		if len(pids) == 0 {
			return nil
		}
		r.emit(events.Event{Kind: events.Log, Level: "warn",
			Text: fmt.Sprintf("sending %s to what run %s left running: processes %v", signal, r.id, pids)})
		if gone, err := endAll(ctx, marker, signal); gone || err != nil {
			return err
		}
	}
	return fmt.Errorf("processes %v of run %s do not end; end them, and go on then", marked(marker), r.id)
}

// endAll sends a signal once to every marked process, also to those that appear meanwhile, and waits
// until there are none.
func endAll(ctx context.Context, marker []byte, signal syscall.Signal) (gone bool, err error) {
	deadline := time.Now().Add(orphanPatience)
	var sent []int
	for time.Now().Before(deadline) {
		pids := marked(marker)
		if len(pids) == 0 {
			return true, nil
		}
		for _, pid := range pids {
			if slices.Contains(sent, pid) {
				continue
			}
			if err := syscall.Kill(pid, signal); err != nil && !errors.Is(err, syscall.ESRCH) {
				return false, fmt.Errorf("end process %d, which the run left running: %w", pid, err)
			}
			sent = append(sent, pid)
		}
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-time.After(orphanPoll):
		}
	}
	return false, nil
}

// marked lists the processes, other than this one, whose environment holds the marker.
func marked(marker []byte) []int {
	entries, _ := filepath.Glob("/proc/[0-9]*/environ")
	var pids []int
	for _, name := range entries {
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(name)))
		if err != nil || pid == os.Getpid() {
			continue
		}
		env, err := os.ReadFile(name)
		if err != nil {
			continue // gone, or not ours to look into: then not ours to have started
		}
		if slices.ContainsFunc(bytes.Split(env, []byte{0}), func(kv []byte) bool { return bytes.Equal(kv, marker) }) {
			pids = append(pids, pid)
		}
	}
	return pids
}
