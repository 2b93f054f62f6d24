package pkg

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// holdVariable names a file to a process of this test that is to hold its lock.
const holdVariable = "PKG_TEST_HOLD"

// TestHolder is that process: it holds the lock until its input ends.
func TestHolder(t *testing.T) {
	path := os.Getenv(holdVariable)
	if path == "" {
		return
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.FcntlFlock(f.Fd(), unix.F_SETLK, &unix.Flock_t{Type: unix.F_WRLCK}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
}

// hold has another process hold the lock of a file until release is called.
func hold(t *testing.T, path string) (pid int, release func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHolder$")
	cmd.Env = append(os.Environ(), holdVariable+"="+path)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder says %q, %v", line, err)
	}
	released := false
	release = func() {
		if !released {
			released = true
			in.Close()
			_ = cmd.Wait() // its output may not have been read
		}
	}
	t.Cleanup(release)
	return cmd.Process.Pid, release
}

func TestWaitForLocks(t *testing.T) {
	dir := t.TempDir()
	free, held := filepath.Join(dir, "free"), filepath.Join(dir, "held")
	if err := os.WriteFile(free, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	paths := []string{filepath.Join(dir, "absent"), free, held}
	silent := func(path, holder string) { t.Errorf("%s is held by %s", path, holder) }
	if left, err := waitForLocks(t.Context(), paths, time.Minute, silent); err != nil || left > time.Minute || left < 30*time.Second {
		t.Errorf("left is %v, %v", left, err)
	}

	pid, release := hold(t, held)
	if _, err := waitForLocks(t.Context(), paths, time.Millisecond, func(string, string) {}); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("(process %d) still holds %s", pid, held)) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stopped := errors.New("stopped")
	if _, err := waitForLocks(ctx, paths, time.Minute, func(string, string) { cancel(stopped) }); !errors.Is(err, stopped) {
		t.Errorf("got %v", err)
	}
	told := 0
	_, err := waitForLocks(t.Context(), paths, time.Minute, func(path, holder string) {
		told++
		if path != held || !strings.Contains(holder, fmt.Sprintf("(process %d)", pid)) {
			t.Errorf("%s is held by %s", path, holder)
		}
		release()
	})
	if err != nil || told != 1 {
		t.Errorf("told %d times, %v", told, err)
	}
}
