package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/infrarun/infrarun/runtime/events"
)

// watch tells what is created, changed or removed in a directory, even for a moment.
type watch struct {
	t  testing.TB
	fd int
}

func newWatch(t testing.TB, dirs ...string) *watch {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	for _, dir := range dirs {
		const mask = unix.IN_CREATE | unix.IN_MODIFY | unix.IN_DELETE | unix.IN_ATTRIB | unix.IN_MOVE | unix.IN_DELETE_SELF
		if _, err := unix.InotifyAddWatch(fd, dir, mask); err != nil {
			t.Fatal(err)
		}
	}
	return &watch{t, fd}
}

// events returns how many bytes of events there were; 0 means that nothing happened.
func (w *watch) events() int {
	w.t.Helper()
	n, err := unix.Read(w.fd, make([]byte, 1<<16))
	if err == unix.EAGAIN {
		return 0
	} else if err != nil {
		w.t.Fatal(err)
	}
	return n
}

// recordingTools puts commands in front of the real ones that note how they were called.
func recordingTools(t testing.TB, s *site) (calls func() []string) {
	t.Helper()
	bin := filepath.Join(s.dir, "bin")
	record := filepath.Join(s.dir, "calls")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"go", "node", "npm", "git", "sh", "systemctl", "docker", "ssh"} {
		script := fmt.Sprintf("#!/bin/sh\necho \"%s $*\" >>%s\nPATH=%q exec %s \"$@\"\n", tool, record, os.Getenv("PATH"), tool)
		if err := os.WriteFile(filepath.Join(bin, tool), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.env = append(s.env, "PATH="+bin+":"+os.Getenv("PATH"))
	return func() []string {
		data, _ := os.ReadFile(record)
		return strings.Split(strings.TrimSpace(string(data)), "\n")
	}
}

func TestPreviewTouchesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, newRepo(t))
	calls := recordingTools(t, s)
	w := newWatch(t, s.prefix, s.repo.dir, filepath.Join(s.repo.dir, ".git"), filepath.Join(s.repo.dir, "cmd/console"))
	preview := s.deploy("deploy.star", "--dry-run").want(2)
	if n := w.events(); n != 0 {
		t.Errorf("the preview touched the prefix or the repository (%d bytes of events)", n)
	}
	if left := s.tree(); len(left) != 1 {
		t.Errorf("the preview left %v", left)
	}
	for _, call := range calls() {
		if call != "go env GOVERSION" && call != "node --version" {
			t.Errorf("the preview started %q, which is no declared read-only probe", call)
		}
	}

	var steps []string
	undo := map[string]bool{}
	diff := false
	for _, e := range preview.events {
		switch e.Kind {
		case events.StepFinished:
			steps = append(steps, e.Step.Name)
		case events.ChangeFinished:
			undo[e.Change.Undo] = true
			diff = diff || strings.Contains(e.Change.Diff, "+INFRA_CORE_CONSOLE_PORT=")
			if e.Change.Undo == "" {
				t.Errorf("%s %s: the preview does not say how far its undo goes", e.Change.Call, e.Change.Target)
			}
		}
	}
	const want = "initialise plan preflight dependencies environment backup code ready health final"
	if got := strings.Join(steps, " "); got != want {
		t.Errorf("the steps are %s, want %s", got, want)
	}
	if !diff {
		t.Error("the preview does not show the environment file's diff")
	}
	if !undo["exact"] || !undo["compensating"] || !undo["none"] {
		t.Errorf("the preview shows the undo classes %v", undo)
	}
	if o := preview.outcome(); o.Assumed == 0 {
		t.Error("the preview assumes nothing, though it cannot know whether the stack will be healthy")
	}
}
